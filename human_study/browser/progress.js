// Where a session stands: which steps remain, and what its journal says of those that are over.

/** @typedef {import("./schedule.js").Due} Due */
/** @typedef {import("./types.js").Entry} Entry */
/** @typedef {import("./types.js").Again} Again */
/** @typedef {import("./types.js").Page} Page */
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
    const remain = this.step.after_stop.filter((number) => this.placeOf(number) > this.at);
    this.left = [...this.left.slice(0, this.at + 1), ...remain];
  }

  /** @param {number} number  of a step */
  placeOf(number) {
    return this.left.indexOf(number);
  }

  /** @param {number} way  how many steps to advance, -1 for back */
  move(way) {
    this.at += way;
  }
}

/**
 * What a journal holds of a session that was interrupted.
 * @typedef {object} Past
 * @property {Record<string, any>} answers  by question, the latest of each
 * @property {{keys: Record<string, number>, chosen: boolean} | null} controls
 * @property {{inputs: number[], answered: Due[]}[]} plays  of each, its inputs, and the questions answered after the last
 * @property {Set<number>} ended  numbers of plays that the participant ended
 * @property {number} rounds  of instructions and checks that ended with wrong answers
 * @property {boolean} isJudged  whether a round was answered, and what follows from it is not known yet
 * @property {string} end  the page that ended the session early; else ""
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
  const past = { answers: {}, controls: null, plays: [], ended: new Set(), rounds: 0, isJudged: false, end: "", isFinished: false };
  const over = new Set(); // numbers of steps
  const numberOf = (/** @type {string} */ log) => progress.steps.findIndex((step) => step.log === log);
  for (const entry of entries) {
    if (entry[0] === "p") past.plays[entry[2]] = { inputs: [], answered: [] };
    const play = past.plays[past.plays.length - 1];
    if (entry[0] === "s") play.answered = [];
    if (entry[0] === "s") play.inputs.push(entry[1]);
    if (entry[0] === "q") past.ended.add(past.plays.length - 1);
    if (entry[0] === "f") past.isFinished = true;
    if (entry[0] !== "e") continue;
    const [, , event, fields] = /** @type {["e", number, string, Record<string, any>]} */ (entry);
    if (event === "judged") past.isJudged = true;
    if (event === "excluded") past.isJudged = false;
    if (event === "answer") past.answers[fields.question] = fields.answer;
    if (event === "probe") play.answered.push(/** @type {Due} */ (fields));
    if (event === "controls") past.controls = /** @type {Past["controls"]} */ (fields);
    if (event === "excluded") past.end = fields.why === "checks" ? "failed_checks" : "too_young";
    if (event !== "page") continue;
    const number = numberOf(fields.page);
    if (number >= 0 && fields.what === "end") over.add(number);
    const { again } = progress.steps[number] ?? {};
    if (again && fields.what !== "begin") past.isJudged = false;
    if (again && fields.again) {
      past.rounds++;
      for (let each = again.to; each <= number; each++) over.delete(each);
      for (const name of again.checks) delete past.answers[name];
    }
    if (number >= 0 && fields.what === "stop") {
      progress.at = progress.placeOf(number);
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
  const before = progress.left.slice(0, Math.max(progress.placeOf(number), 0));
  return before.filter((each) => progress.steps[each].kind === "play");
}

/** Whether that is the right answer to a page that has one. @param {Page} page @param {any} answer */
export function isRight(page, answer) {
  if (!Array.isArray(answer)) return answer === page.right;
  const right = new Set(page.right);
  return Array.isArray(page.right) && right.size === answer.length && answer.every((each) => right.has(each));
}

/**
 * What follows from a round of instructions and checks that ended after ``rounds`` others.
 * @param {Again} again
 * @param {Record<string, Page>} pages
 * @param {Record<string, any>} answers
 * @param {number} rounds
 * @returns {import("./types.js").Verdict}
 */
export function verdictOn(again, pages, answers, rounds) {
  const isWrong = again.checks.some((name) => !isRight(pages[`question:${name}`], answers[name]));
  const isLast = rounds + 1 >= again.rounds;
  return { again: isWrong && !isLast, ends: isWrong && isLast && again.when_failed === "end" };
}
