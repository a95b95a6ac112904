// The study on a host that keeps files but knows nothing of it: the code, the game and the code for a panel are found here,
// and an adapter uploads what is recorded.

import { adapter } from "./adapters/folder.js"; // or another one, as the study is built
import { part, start } from "./main.js";
import { base64, packed, piped } from "./packing.js";
import { STOPPED } from "./plays.js";
import { Store } from "./store.js";
import { Refusal } from "./uploads.js";

/** @typedef {import("./types.js").Admission} Admission */
/** @typedef {import("./types.js").Description} Description */
/** @typedef {import("./types.js").Ending} Ending */
/** @typedef {import("./types.js").Host} Host */
/** @typedef {import("./types.js").Opening} Opening */
/** @typedef {import("./types.js").Uploads} Uploads */

/** @implements {Uploads} */
export class HostedUploads {
  /** @param {Host} host @param {Description} description */
  constructor(host, description) {
    this.host = host;
    this.probes = (description.probes ?? []).map((/** @type {{page: string}} */ probe) => probe.page);
    this.store = Store.open(description.name);
    this.adapter = adapter(host.settings);
    this.isFile = this.adapter.isFile;
    /** @type {Opening | null} */
    this.begun = null;
    this.lastSent = performance.now();
    this.seen = 0; // chunks that were looked at
    this.complete = 0; // chunks up to which something is complete, such as a play
    this.hasPlayed = false; // since then
  }

  /** @param {any} wishes @returns {Promise<Admission>} */
  async begin({ language, seconds, about, panel }) {
    await this.adapter.ready?.();
    const ids = this.ids({ ...this.adapter.query?.(), ...panel });
    const { build, alphabet, length, arms } = this.host;
    const [games] = drawn(arms, 1);
    const id = drawn([...alphabet], length).join("");
    this.begun ??= { build, id, language, began: Date.now(), seconds, about, games, ...ids };
    const token = JSON.stringify(this.begun);
    await this.keep(token, "begin", token).catch((error) => {
      throw error.isFinal ? new Refusal(400, { error: error.message, full: error.isFull }) : error;
    });
    return this.session(token);
  }

  /** @param {string} token @returns {Promise<Admission>} */
  async session(token) {
    await this.adapter.ready?.();
    const store = await this.store;
    /** @type {Opening} */
    const { id, language, games, build } = JSON.parse(token);
    const next = await store.sent(token);
    const ended = build !== this.host.build; // the study was built again since: it may have other pages and games
    const contents = ended ? [] : await Promise.all(games.map((name) => unpacked(this.host.games[name])));
    return { token, code: id, language, games: contents, next, ended };
  }

  /** @returns {Promise<string[]>} */
  async chunks() {
    return []; // what was uploaded does not come back
  }

  /** @param {string} token @param {string[]} chunks @param {boolean} isUrgent */
  async send(token, chunks, isUrgent) {
    if (!chunks.length) return 0;
    const first = JSON.parse(chunks[0]).n;
    this.look(chunks.slice(Math.max(0, this.seen - first)));
    const isDue = isUrgent || performance.now() > this.lastSent + this.adapter.every;
    const count = isDue ? chunks.length : this.complete - first;
    if (count <= 0) return first;
    await this.keep(token, `${padded(first)}-${padded(first + count - 1)}`, ...chunks.slice(0, count));
    this.lastSent = performance.now();
    return first + count;
  }

  /** Finds out where a play begins or ends: what was recorded up to there is uploaded. @param {string[]} chunks */
  look(chunks) {
    for (const { n, entries } of chunks.map((chunk) => JSON.parse(chunk))) {
      for (const [kind, , name, fields] of entries) {
        const isPage = kind === "e" && name === "page" && fields.what === "begin";
        const isBetween = isPage && fields.page !== "stop" && !this.probes.includes(fields.page);
        const isComplete = kind === "p" || kind === "f" || (isBetween && this.hasPlayed);
        if (isComplete) this.complete = n + 1;
        this.hasPlayed = kind === "s" || (this.hasPlayed && !isComplete);
      }
      this.seen = n + 1;
    }
  }

  /** Uploads lines as one text, whose name no other upload has. @param {string} token @param {string} what @param {string[]} lines */
  async keep(token, what, ...lines) {
    const { build, id } = JSON.parse(token);
    const data = await packed(lines.map((line) => `${line}\n`).join(""));
    await this.adapter.send(`${id}-${what}`, `${JSON.stringify({ build, id, data })}\n`);
  }

  /** @param {string} token @param {string[]} chunks */
  hurry(token, chunks) {
    if (Number.isFinite(this.adapter.every)) this.send(token, chunks, true).catch(() => {});
  }

  /** @returns {Promise<Ending>} */
  async finish() {
    const entries = (await (await this.store).chunks()).flatMap((chunk) => JSON.parse(chunk).entries);
    const isExcluded = entries.some(([kind, , name]) => kind === "e" && name === "excluded");
    const isStopped = entries.some(
      ([kind, , name, fields]) => (kind === "q" && name === STOPPED) || (kind === "e" && name === "page" && fields.what === "stop"),
    );
    const ending = this.host.endings[isExcluded ? "screened_out" : isStopped ? "stopped" : "complete"] ?? {};
    return ending;
  }

  async leave() {
    await this.adapter.finish();
  }

  /** @param {string} token */
  async withdraw(token) {
    const { build, id } = JSON.parse(token);
    await this.adapter.withdraw(`${id}-withdrawn`, `${JSON.stringify({ build, id, withdrawn: true })}\n`);
  }

  /** @param {any} about @returns {Promise<Ending>} */
  async refused({ why }) {
    return this.host.endings[why === "refused" ? "refused" : "screened_out"] ?? {};
  }

  /** @param {string} token */
  opening(token) {
    return token;
  }

  /** Which of a panel's participants it is. @param {Record<string, string>} query */
  ids(query) {
    const { panel } = this.host;
    if (!panel.length) return {};
    if (!query[panel[0]]) throw new Refusal(400, { error: `${panel[0]} is missing in the address`, reason: "panel" });
    return { panel: Object.fromEntries(panel.map((name) => [name, query[name] ?? ""])) };
  }
}

/** That many of them at random. @template T @param {T[]} choices @param {number} count @returns {T[]} */
const drawn = (choices, count) =>
  [...crypto.getRandomValues(new Uint32Array(count))].map((number) => choices[number % choices.length]);

/** @param {number} number */
const padded = (number) => String(number).padStart(6, "0");

/** A compressed game, in base64. @param {string} address */
async function unpacked(address) {
  const { body } = await fetch(address);
  return base64(await piped(/** @type {ReadableStream} */ (body), new DecompressionStream("gzip")));
}

start(async (description) => new HostedUploads(await (await part("host")).json(), description));
