/** The file of the shared worker, named at build time. */
declare const LIVE_WORKER: string;
