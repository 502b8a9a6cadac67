// Work that is asked for often, and done at once, but then not again before a while has passed.

export class Soon {
  /** @param {() => void} run @param {number} milliseconds between two times */
  constructor(run, milliseconds) {
    this.run = run;
    this.milliseconds = milliseconds;
    this.timer = 0;
    this.wanted = false;
  }

  /** Does it now, or as soon as it may be done again. */
  ask() {
    if (this.timer) {
      this.wanted = true;
      return;
    }
    this.run();
    this.timer = /** @type {any} */ (setTimeout(() => this.passed(), this.milliseconds));
  }

  passed() {
    this.timer = 0;
    if (!this.wanted) return;
    this.wanted = false;
    this.ask();
  }

  /** Does it no more. */
  close() {
    clearTimeout(this.timer);
    this.wanted = false;
  }
}
