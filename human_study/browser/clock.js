// The time that a session has: one axis for the page and the worker.

/** Whole microseconds since consent, on one axis across reloads of the page. */
export class Clock {
  /** @param {number} began  when consent was given, ms since 1970 */
  constructor(began) {
    this.began = began;
  }

  /** @param {number} [at]  by performance.now(), ms */
  now(at = performance.now()) {
    return Math.round(1000 * (performance.timeOrigin + at - this.began));
  }
}
