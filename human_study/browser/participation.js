// A participant's games in somebody else's timeline: what one trial leaves for the next, and what each records.

import { timeOf } from "./entries.js";
import { packed, unpacked } from "./packing.js";

/** @typedef {import("./types.js").Entry} Entry */
/** @typedef {import("./types.js").Host} Host */
/** @typedef {import("./types.js").Opening} Opening */
/** What a trial records, as the importer reads it. @typedef {{build: string, id: string, data: string}} Packed */
/** Of a timeline's data, as far as it is ours: ``play`` is the play's number, null for practice. @typedef {{record?: Packed, play?: number | null}} Row */

export class Participation {
  /** @param {Opening} opening */
  constructor(opening) {
    this.opening = opening;
    this.chunks = 0; // that were recorded; each trial records one
    this.plays = 0; // that are over
    this.last = 0; // time of the last entry, microseconds since the first trial began
    this.isFinished = false; // whether all plays are over
    this.isResumed = false; // whether the page was loaded anew since, which the next trial logs
  }

  /**
   * Goes on where a timeline's data end, which outlived a reload of the page; null if they hold no game of that build.
   * @param {Row[]} rows
   * @param {string} build
   */
  static async resumed(rows, build) {
    const ours = rows.filter(({ record }) => record?.build === build);
    const record = ours.at(-1)?.record;
    if (!record) return null;
    const [opening, chunk] = (await (await unpacked(record.data)).text()).split("\n").map((line) => line && JSON.parse(line));
    const here = new Participation(opening);
    const plays = ours.filter(({ play }) => typeof play === "number").length;
    here.take(chunk.entries, chunk.n, plays);
    here.isResumed = true;
    return here;
  }

  /** The games in the order in which they are played, by name. */
  get games() {
    return this.opening.games;
  }

  /** @param {Entry[]} entries @param {number} n  number of their chunk @param {number} plays  that are over now */
  take(entries, n, plays) {
    this.chunks = n + 1;
    this.plays = plays;
    this.last = entries.map(timeOf).reduce((one, other) => Math.max(one, other), this.last);
    this.isFinished = entries.some(([kind]) => kind === "f");
  }

  /** What a trial recorded, which then counts. @param {Entry[]} entries @param {boolean} isPlay @returns {Promise<Packed>} */
  async record(entries, isPlay) {
    const n = this.chunks;
    this.take(entries, n, this.plays + Number(isPlay));
    const { build, id } = this.opening;
    const lines = [this.opening, { n, entries }].map((line) => `${JSON.stringify(line)}\n`);
    return { build, id, data: await packed(lines.join("")) };
  }
}

/** A participant's, which names the log. @param {Host} host */
export function newCode({ alphabet, length }) {
  return [...crypto.getRandomValues(new Uint32Array(length))].map((number) => alphabet[number % alphabet.length]).join("");
}

/** A whole number below ``count``: the same for the same seed; without one, by Math.random. @param {number} count @param {number | null} seed */
export function drawn(count, seed) {
  if (seed === null) return Math.floor(Math.random() * count);
  let mixed = seed % 2 ** 32;
  for (const [shift, factor] of [[16, 0x7feb352d], [15, 0x846ca68b], [16, 1]]) {
    mixed = Math.imul(mixed ^ (mixed >>> shift), factor); // so that neighbouring seeds draw independently
  }
  return (mixed >>> 0) % count;
}
