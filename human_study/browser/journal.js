// The journal: everything that a log will hold, in numbered chunks, first on this computer's disk, then on the server's.

import { Entries } from "./entries.js";
import { WrittenTwice } from "./store.js";
import { Refusal } from "./uploads.js";

/** @typedef {import("./clock.js").Clock} Clock */
/** @typedef {import("./types.js").Entry} Entry */
/** @typedef {import("./types.js").Uploads} Uploads */
/** @typedef {import("./store.js").Store} Store */

// ms between two chunks while something happens. Whoever kills the browser loses as much, and what it takes to write a
// chunk; with the computer's disk, also what a request takes: together less than a second.
const EVERY = 400;
const RETRIES = [500, 1000, 2000, 5000]; // ms until a failed upload is tried again
const TOO_FAST = 429; // the server asks for patience
const CONFLICT = 409; // it has another chunk of that number

export class Journal extends Entries {
  /**
   * @param {Store} store
   * @param {Uploads} uploads
   * @param {string} token
   * @param {Clock} clock
   * @param {string[]} chunks  of before a reload
   * @param {number} sent  how many of them the server has
   */
  constructor(store, uploads, token, clock, chunks = [], sent = 0) {
    super(clock);
    this.store = store;
    this.uploads = uploads;
    this.token = token;
    this.chunks = chunks; // as they were written; a chunk that is sent twice must be the same
    this.kept = chunks.length; // chunks on this computer's disk
    this.sent = sent; // chunks on the server's
    this.isClosed = false; // whether nothing is sent any more
    for (const entry of this.all()) this.see(entry);
    this.failures = 0; // of uploads, in a row
    /** @type {(isOffline: boolean) => void} */
    this.onConnection = () => {};
    this.isUrgent = false; // whether everything is to be sent now
    this.timer = setInterval(() => (this.flush(), this.send()), EVERY);
    this.sending = false;
    if (sent > chunks.length) throw new WrittenTwice();
    this.send();
  }

  /** Every entry so far. @returns {Entry[]} */
  all() {
    return [...this.chunks.flatMap((text) => JSON.parse(text).entries), ...this.entries];
  }

  /** Makes a chunk of what happened; it is sent once it is on disk. */
  flush() {
    if (!this.entries.length) return;
    const n = this.chunks.length;
    const text = JSON.stringify({ n, entries: this.entries });
    this.entries = [];
    this.chunks.push(text);
    this.store.add(n, text).then(() => {
      this.kept = Math.max(this.kept, n + 1);
      this.send();
    }, this.fail);
  }

  /** The page may be gone at once. The server must not get what this computer then lacks, or nobody could go on here. */
  hurry() {
    this.flush();
    this.uploads.hurry(this.token, this.chunks.slice(this.sent, this.kept));
  }

  /** Sends what the server does not have yet, in order, until it has everything. */
  async send() {
    if (this.sending) return;
    this.sending = true;
    while (this.sent < this.kept && !this.isClosed) {
      try {
        const next = await this.uploads.send(this.token, this.chunks.slice(this.sent, this.kept), this.isUrgent);
        this.connected(0);
        if (next === this.sent) break; // it waits for more
        this.sent = next;
        if (!this.isClosed) this.store.keepSent(this.token, next).catch(() => {}); // without it they are sent again
      } catch (error) {
        if (error instanceof Refusal && error.status !== TOO_FAST) {
          const next = error.answer.next;
          if (error.status === CONFLICT && next === undefined) return this.fail(new WrittenTwice());
          if (!(next < this.kept) || next === this.sent) return this.fail(error);
          this.sent = next;
          continue;
        }
        this.connected(this.failures + 1);
        await new Promise((resolve) => setTimeout(resolve, RETRIES[Math.min(this.failures, RETRIES.length) - 1]));
      }
    }
    this.sending = false;
  }

  /** @param {number} failures */
  connected(failures) {
    const wasOffline = this.failures > 0;
    this.failures = failures;
    if (wasOffline !== failures > 0) this.onConnection(failures > 0);
  }

  /** Whether the server has everything. */
  get isSent() {
    return !this.entries.length && this.sent === this.chunks.length;
  }

  /**
   * Resolves with true once the server has everything; with false after that many ms, or once nothing is sent any more.
   * @param {number} [patience]
   */
  async settled(patience = Infinity) {
    if (!this.isClosed) this.flush();
    const end = performance.now() + patience;
    this.isUrgent = true;
    while (!this.isSent && !this.isClosed && performance.now() < end) {
      this.send();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    this.isUrgent = false;
    return this.isSent;
  }

  /**
   * Resolves once nothing of the journal can be lost: the server has everything, or it was saved as a file.
   * @param {number} patience  ms that the server may take until a file is offered
   * @param {() => Promise<any>} saved  offers the file; resolves once it was saved
   */
  async secured(patience, saved) {
    if (!this.chunks.length) return;
    if (this.uploads.isFile) return saved();
    if (await this.settled(patience)) return;
    const sent = this.settled().then((isSent) => isSent || new Promise(() => {}));
    await Promise.race([sent, saved()]);
  }

  /** The journal as a file, one chunk a line, as the importer reads it. */
  file() {
    this.flush();
    const lines = [this.uploads.opening(this.token), ...this.chunks];
    return new Blob([lines.map((line) => line && `${line}\n`).join("")], { type: "application/jsonl" });
  }

  close() {
    this.isClosed = true;
    clearInterval(this.timer);
  }

  /** @param {any} error */
  fail = (error) => {
    this.close();
    this.onFailure(error);
  };
}
