// Where the console and the APIs are: beside this module's own address, whatever prefix a gateway puts before it.

const here = import.meta.url;

/** The path of the console, with a slash at its end. */
export const UI = here.startsWith("file:") ? "/ui/" : new URL(".", here).pathname;

/** The path of the service, with a slash at its end. */
export const ROOT = UI.replace(/ui\/$/, "");

export const API = `${ROOT}api/wfx/v1`;
export const FLEET = `${ROOT}api/fleet/v1`;
export const RULES = `${ROOT}v1`;
