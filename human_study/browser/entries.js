// What a log will hold, as it happens: entries in order, by one clock.

/** @typedef {import("./clock.js").Clock} Clock */
/** @typedef {import("./types.js").Entry} Entry */

const TIMED = ["e", "p", "q", "r", "f"]; // entries whose second part is a time

export class Entries {
  /** @param {Clock} clock */
  constructor(clock) {
    this.clock = clock;
    /** @type {Entry[]} */
    this.entries = []; // those that are in no chunk yet
    this.last = 0; // time of the last entry: no later one is earlier
    this.isFinished = false; // whether the session is over: nothing follows
    /** @type {(error: any) => void} */
    this.onFailure = () => {};
  }

  /** @param {Entry} entry */
  add(entry) {
    if (this.isFinished) return;
    if (TIMED.includes(entry[0])) entry[1] = Math.max(/** @type {number} */ (entry[1]), this.last);
    this.see(entry);
    this.entries.push(entry);
  }

  /** @param {Entry} entry */
  see(entry) {
    this.last = Math.max(this.last, timeOf(entry));
    this.isFinished ||= entry[0] === "f";
  }

  /** An event as a log has it. @param {string} event @param {object} fields @param {number} [at]  by performance.now() */
  note(event, fields, at) {
    this.add(["e", this.clock.now(at), event, fields]);
  }

  /** The page may be gone at once. */
  hurry() {}

  /** @param {any} error */
  fail(error) {
    this.onFailure(error);
  }
}

/** When it happened. @param {Entry} entry @returns {number} */
export function timeOf(entry) {
  if (entry[0] === "s") return entry[3];
  return TIMED.includes(entry[0]) ? /** @type {number} */ (entry[1]) : 0;
}
