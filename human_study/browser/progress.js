// Where a session stands: which steps remain, and what its journal says of those that are over.

/** @typedef {import("./types.js").Entry} Entry */
/** @typedef {import("./types.js").Step} Step */

export class Progress {
  /** @param {Step[]} steps */
  constructor(steps) {
    this.steps = steps;
    this.left = steps.map((_, number) => number); // numbers of the steps that come, in order, and of those that were
    this.at = 0; // place of the current one among them
  }

  /** The current step; undefined after the last one. @returns {Step | undefined} */
  get step() {
    return this.steps[this.left[this.at]];
  }

  /** Whether the participant can go back to the page before. */
  get canGoBack() {
    return this.at > 0 && this.step !== undefined && this.step.back;
  }

  /** The participant stops at the current step. */
  stop() {
    if (!this.step) return;
    const remain = this.step.after_stop.filter((number) => this.left.indexOf(number) > this.at);
    this.left = [...this.left.slice(0, this.at + 1), ...remain];
  }

  /** The steps in order; each is looked at once. @param {number} way  1 or -1 */
  move(way) {
    this.at += way;
  }
}

/**
 * What a journal holds of a session that was interrupted.
 * @typedef {object} Past
 * @property {Record<string, any>} answers  by question, the latest of each
 * @property {{keys: Record<string, number>, chosen: boolean} | null} controls
 * @property {number[][]} plays  the inputs of each
 * @property {Set<number>} ended  numbers of plays that the participant ended
 * @property {boolean} isExcluded
 * @property {boolean} isFinished
 */

/**
 * Goes through the journal of an interrupted session, and moves to the step where it stopped. A play that was begun is the
 * current step, even if it was won or at its limit.
 * @param {Progress} progress
 * @param {Entry[]} entries
 * @returns {Past}
 */
export function retraced(progress, entries) {
  /** @type {Past} */
  const past = { answers: {}, controls: null, plays: [], ended: new Set(), isExcluded: false, isFinished: false };
  const over = new Set(); // numbers of steps
  const numberOf = (/** @type {string} */ log) => progress.steps.findIndex((step) => step.log === log);
  for (const entry of entries) {
    if (entry[0] === "p") past.plays[entry[2]] = [];
    if (entry[0] === "s") past.plays.at(-1)?.push(entry[1]);
    if (entry[0] === "q") past.ended.add(past.plays.length - 1);
    if (entry[0] === "f") past.isFinished = true;
    if (entry[0] !== "e") continue;
    const [, , event, fields] = /** @type {["e", number, string, Record<string, any>]} */ (entry);
    if (event === "answer") past.answers[fields.question] = fields.answer;
    if (event === "controls") past.controls = /** @type {Past["controls"]} */ (fields);
    if (event === "excluded") past.isExcluded = true;
    if (event !== "page") continue;
    const number = numberOf(fields.page);
    if (number >= 0 && fields.what === "end") over.add(number);
    if (number >= 0 && fields.what === "stop") {
      progress.at = progress.left.indexOf(number);
      progress.stop();
      over.add(number);
    }
    if (number > 0 && fields.what === "begin") playsBefore(progress, number).forEach((play) => over.add(play));
  }
  for (const play of past.ended) over.add(progress.steps.findIndex((step) => step.kind === "play" && step.play === play));
  const at = progress.left.findIndex((number) => !over.has(number));
  progress.at = at < 0 ? progress.left.length : at;
  return past;
}

/** A page that follows a play is shown once the play is over. @param {Progress} progress @param {number} number */
function playsBefore(progress, number) {
  const before = progress.left.slice(0, Math.max(progress.left.indexOf(number), 0));
  return before.filter((each) => progress.steps[each].kind === "play");
}
