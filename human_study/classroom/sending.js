// The inputs of a play on their way to the lecturer's computer. Nothing is kept in the browser.

import { Refusal } from "../browser/uploads.js";

/** How far the play has come, in one of two measures. @typedef {{share?: number, states?: number}} Reached */
/** @typedef {import("../browser/types.js").Entry} Entry */
/** @typedef {import("../browser/clock.js").Clock} Clock */

const EVERY = 1000; // ms between two sendings
const PATIENCE = 5000; // ms that an answer may take
const LAST = 8000; // ms for which the end of a play is sent again

/** What a game writes into; only inputs leave the page, and only those of somebody who wants to be counted. */
export class Sending {
  /** @param {Clock} clock @param {string} token  empty for somebody who is not counted */
  constructor(clock, token) {
    this.clock = clock;
    this.token = token;
    this.inputs = "";
    this.sent = 0; // as many inputs as have arrived
    /** @type {Reached} */
    this.reached = {};
    /** @type {(error: Error) => void} */
    this.onFailure = () => {};
    this.isSending = false;
    this.timer = token ? setInterval(() => this.send(false), EVERY) : 0;
  }

  /** @param {Entry} entry */
  add(entry) {
    if (entry[0] === "s") this.inputs += entry[1];
  }

  /** Events are for studies. */
  note() {}

  /** @param {Error} error */
  fail(error) {
    this.onFailure(error);
  }

  /** The play is over; how far it came, as far as is known. @returns {Promise<Reached>} */
  async end() {
    clearInterval(this.timer);
    const end = performance.now() + LAST;
    while (this.token && performance.now() < end && !(await this.send(true))) {
      await new Promise((resolve) => setTimeout(resolve, EVERY / 4));
    }
    return this.reached;
  }

  /** Sends what has not arrived; returns whether it has. @param {boolean} left  whether the student plays no more */
  async send(left) {
    if (this.isSending || !this.token || (this.sent === this.inputs.length && !left)) return false;
    this.isSending = true;
    try {
      await this.post({ n: this.sent, inputs: this.inputs.slice(this.sent), left });
      return this.sent === this.inputs.length;
    } catch (error) {
      if (error instanceof Refusal) this.refused(error);
      return false;
    } finally {
      this.isSending = false;
    }
  }

  /** @param {{n: number, inputs: string, left: boolean}} what */
  async post(what) {
    const headers = { "Content-Type": "application/json", Authorization: `Bearer ${this.token}` };
    const asked = { method: "POST", body: JSON.stringify(what), headers, signal: AbortSignal.timeout(PATIENCE) };
    const response = await fetch("api/inputs", asked);
    const answer = await response.json();
    if (!response.ok) throw new Refusal(response.status, answer);
    this.sent = answer.next;
    this.reached = answer;
  }

  /** The play goes on in any case. @param {Refusal} refusal */
  refused(refusal) {
    if (typeof refusal.answer.next === "number") this.sent = refusal.answer.next;
    else if (refusal.status !== 429) this.token = ""; // the class is over
  }
}
