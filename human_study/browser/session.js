// A session with a participant, from the page after consent to the last one; also an interrupted one.

import { Controls } from "./keyboard.js";
import { play, practise } from "./plays.js";
import { patiently } from "./patience.js";
import { isRight, Progress, retraced, verdictOn } from "./progress.js";
import { Sitting } from "./sitting.js";

/** @typedef {import("./journal.js").Journal} Journal */
/** @typedef {import("./progress.js").Past} Past */
/** @typedef {import("./reader.js").Manner} Manner */
/** @typedef {import("./sitting.js").Tools} Tools */
/** @typedef {import("./types.js").Admission} Admission */
/** @typedef {import("./types.js").Again} Again */
/** @typedef {import("./types.js").Description} Description */
/** @typedef {import("./types.js").Language} Language */
/** @typedef {import("./types.js").Page} Page */
/** @typedef {import("./types.js").Step} Step */

const ASKING = 5000; // ms that what was answered may take to the server, until the page says why it waits

/** @extends {Sitting<Journal>} */
export class Session extends Sitting {
  /**
   * @param {Description} description
   * @param {Language} language
   * @param {Admission} admission
   * @param {Journal} journal
   * @param {Tools} tools
   */
  constructor(description, language, admission, journal, tools) {
    super(description, language, admission, journal, tools);
    this.progress = new Progress(language.steps);
    /** @type {Record<string, any>} */
    this.answers = {}; // by question; the latest of each
    this.rounds = 0; // of instructions and questions about them that ended with wrong answers
    this.isJudged = false; // whether the current step ends a round that was answered before a reload
    /** @type {Past["plays"]} */
    this.plays = []; // those that were begun before a reload
    this.listen();
  }

  /** Continues where an interrupted session stopped. @returns {Past} */
  resume() {
    const past = retraced(this.progress, this.journal.all());
    this.answers = past.answers;
    this.rounds = past.rounds;
    this.isJudged = past.isJudged;
    this.plays = past.plays;
    if (past.controls) this.controls = Controls.logged(past.controls, this.tools.keyboard);
    return past;
  }

  /** All steps in order. Returns the page that ended the session early; else "". */
  async walk() {
    for (const connection of this.tools.game.gamepads.connections()) this.connect(connection);
    for (let step = this.progress.step; step; step = this.progress.step) {
      const isOver = this.isJudged && step.again !== undefined;
      const went = step.kind === "play" ? await this.play(step) : await (isOver ? this.endStep(step) : this.showStep(step));
      if (typeof went === "string") return went;
      this.progress.move(went);
    }
    return "";
  }

  /** Returns how many steps to advance, -1 for back, or the page that ends the session. @param {Step} step */
  async showStep(step) {
    const page = this.language.pages[step.page];
    const form = this.form(page, this.answers[questionOf(step)]);
    const began = performance.now();
    this.note("page", { page: step.log, what: "begin" });
    const manner = this.manner(step);
    let how = await this.tools.reader.show(form, manner);
    while (how === "escape") {
      if ((await this.askToStop()) === "stop") return this.stop(step);
      how = await this.tools.reader.show(form, manner);
    }
    const seconds = Math.round(performance.now() - began) / 1000;
    if (how === "back") {
      const given = form.given();
      const isNew = given !== null && !isSame(given, this.answers[questionOf(step)]);
      if (isNew && !excludes(page, given)) this.noteAnswer(step, given, seconds);
      return -1;
    }
    const end = this.noteAnswer(step, form.answer, seconds);
    if (end) return end;
    if (page.kind === "practice" && (await practise(this, page)) === "stop") return this.stop(step);
    return this.endStep(step);
  }

  /** After the answer; returns as ``showStep``. @param {Step} step */
  async endStep(step) {
    const verdict = step.again ? await this.verdict(step.again) : null;
    if (verdict?.ends) {
      this.note("excluded", { why: "checks" });
      return "failed_checks";
    }
    this.note("page", { page: step.log, what: "end", ...(verdict && { again: verdict.again }) });
    return step.again && verdict?.again ? this.beginRound(step.again) : 1;
  }

  /**
   * What follows from a round of checks. A server tells it once it has the answers, and asks for patience until then.
   * @param {Again} again
   * @returns {Promise<import("./types.js").Verdict>}
   */
  async verdict(again) {
    const { journal } = this;
    const { paper } = this.tools;
    if (!journal.uploads.judges) return verdictOn(again, this.language.pages, this.answers, this.rounds);
    if (!this.isJudged) this.note("judged", {});
    this.isJudged = false;
    const ask = async () => {
      if (!(await journal.settled(ASKING)) && !journal.isClosed) throw new Error("not everything was sent");
      if (journal.isClosed) return new Promise(() => {}); // another page says why
      return /** @type {NonNullable<typeof journal.uploads.verdict>} */ (journal.uploads.verdict)(journal.token);
    };
    return patiently(ask, paper, this.language.words);
  }

  /** After wrong answers; returns how many steps to advance to the instructions. @param {Again} again */
  async beginRound(again) {
    this.rounds++;
    for (const name of again.checks) delete this.answers[name];
    this.note("page", { page: "again", what: "begin" });
    await this.tools.reader.show(this.form(this.language.pages.again));
    this.note("page", { page: "again", what: "end" });
    return this.progress.placeOf(again.to) - this.progress.at;
  }

  /** @param {Step} step @returns {Manner} */
  manner(step) {
    const { left, at, canGoBack } = this.progress;
    return {
      back: canGoBack ? this.language.words["page.back"] : undefined,
      progress: [at, left.length],
      byKey: this.language.pages[step.page].blocks.some((block) => block.type === "caps"),
      onIdle: (isIdle) => this.note("idle", { what: isIdle ? "begin" : "end", why: "page" }),
    };
  }

  /** Returns the page that ends the session because of that answer; else "". @param {Step} step @param {any} answer @param {number} seconds */
  noteAnswer(step, answer, seconds) {
    const page = this.language.pages[step.page];
    if (answer instanceof Controls) {
      this.controls = answer;
      this.note("controls", { ...answer.about(this.tools.keyboard), gamepads: this.tools.game.gamepads.count });
    } else if (page.kind !== "read" && page.kind !== "practice") {
      const end = excludes(page, answer);
      if (end) {
        this.note("excluded", { why: end === "too_young" ? "minimum_age" : end });
        return end;
      }
      const question = questionOf(step);
      this.answers[question] = answer;
      const about = step.play === null ? {} : { play: step.play };
      const right = "right" in page ? { right: isRight(page, answer) } : {};
      this.note("answer", { question, answer, seconds, ...about, ...right });
    }
    return "";
  }

  /** Nothing is left but what follows a stop at this step. @param {Step} step */
  stop(step) {
    this.note("page", { page: step.log, what: "stop" });
    this.progress.stop();
    return 1;
  }

  /** @param {Step} step */
  async play(step) {
    const number = step.play ?? 0;
    this.tools.paper.wait();
    const chosen = await play(this, number, this.plays[number]);
    this.journal.flush();
    return chosen === "stop" ? this.stop(step) : 1;
  }

  /** The answer to a page that is not logged; null if it was left by Escape. @param {string} name */
  async alone(name) {
    const form = this.form(this.language.pages[name]);
    await this.tools.reader.show(form);
    return form.answer;
  }
}

/** The name under which the answer to a step's question is logged. @param {Step} step */
function questionOf(step) {
  const name = step.page.replace(/^question:/, "");
  return step.play === null ? name : `${name}.${step.play}`;
}

/** The page that ends the session because of that answer; else "". @param {Page} page @param {any} answer @returns {string} */
export function excludes(page, answer) {
  const rule = page.excludes;
  if (!rule) return "";
  const ends = rule.options?.includes(answer) || (typeof answer === "number" && answer < rule.below);
  return ends ? rule.page : "";
}

/** @param {any} one @param {any} other */
const isSame = (one, other) => JSON.stringify(one) === JSON.stringify(other);
