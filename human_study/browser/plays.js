// The plays of a session: the game, the questions in the middle of it, and practice, which is no play.

import { isRight } from "./progress.js";

/** @typedef {import("./schedule.js").Due} Due */
/** @typedef {import("./sitting.js").Sitting<any>} Sitting */
/** @typedef {import("./types.js").Entry} Entry */
/** @typedef {import("./types.js").Page} Page */

export const STOPPED = "stopped by the participant";
const LEFT = "left by the participant for the next game";

/**
 * The play of that number, from its beginning or from where it was interrupted. Returns how it ended: "win",
 * "limit", or "stop" or "leave" as the participant chose.
 * @param {Sitting} session
 * @param {number} number
 * @param {{inputs: number[], answered: Due[]} | undefined} past  what is in the journal
 */
export async function play(session, number, past) {
  const { journal, description } = session;
  const { game } = session.tools;
  const { limit } = session;
  const file = await session.file(number);
  if (!past) journal.add(["p", journal.clock.now(), number, ...(limit < description.limit ? [limit] : [])]);
  const rules = { limit, probes: description.probes };
  const opened = await game.load(session, file, rules, past?.inputs);
  const isAnswered = (/** @type {Due} */ due) => past?.answered.some((each) => isSame(each, due));
  let due = opened.due.filter((each) => !isAnswered(each));
  let wait = past ? "resumed" : "";
  let how = opened.ended;
  for (; !["win", "limit"].includes(how); due = game.due) {
    const isAsked = due.length > 0;
    const chosen = isAsked ? await ask(session, number, due) : how === "escape" ? await session.askToStop(number) : null;
    if (chosen === "leave" || chosen === "stop") {
      journal.add(["q", journal.clock.now(), chosen === "stop" ? STOPPED : LEFT]);
      return chosen;
    }
    how = await game.run(isAsked ? "probe" : wait);
    wait = "stop";
  }
  return how;
}

/**
 * Asks what is due in the play of that number. Returns "leave" or "stop" if the participant chose that after Escape.
 * @param {Sitting} session
 * @param {number} number
 * @param {Due[]} due
 */
async function ask(session, number, due) {
  for (const { page: name, question, why } of due) {
    const page = session.language.pages[name];
    const form = session.form(page);
    const about = { play: number, step: session.tools.game.count };
    const began = performance.now();
    session.note("page", { page: `probe:${question}`, what: "begin", ...about });
    while ((await session.tools.reader.show(form)) === "escape") {
      const chosen = await session.askToStop(number);
      if (chosen === "leave" || chosen === "stop") return chosen;
    }
    const seconds = Math.round(performance.now() - began) / 1000;
    const right = "right" in page ? { right: isRight(page, form.answer) } : {};
    session.note("probe", { question, answer: form.answer, why, ...about, seconds, ...right });
    session.note("page", { page: `probe:${question}`, what: "end", ...about });
  }
  return null;
}

/**
 * A short game that is none of the plays. Returns how it ended: "win", "limit", or "stop" as the participant chose.
 * @param {Sitting} session
 * @param {Page} page
 */
export async function practise(session, page) {
  const { game } = session.tools;
  /** @type {Entry[]} */
  const steps = [];
  session.note("practice", { what: "begin" });
  await game.load(session, bytes(page.game), { limit: page.limit, probes: [] }, [], (step) => steps.push(step));
  const end = (/** @type {string} */ ended) => {
    const taken = steps.filter((entry) => entry[0] === "s");
    const half = 500_000 / session.description.rate;
    const late = taken.filter(([, , due, done]) => Number(done) > Number(due) + half).length;
    session.note("practice", { what: "end", ended, inputs: taken.map(([, input]) => input), late });
  };
  for (let wait = ""; ; wait = "stop") {
    const how = await game.run(wait);
    if (how !== "escape") {
      end(how);
      return how;
    }
    if ((await session.askToStop()) === "stop") {
      end("quit");
      return "stop";
    }
  }
}

/** @param {Due} one @param {{question: string, why: string}} other */
const isSame = (one, other) => one.question === other.question && one.why === other.why;

/** @param {string} base64 */
export const bytes = (base64) => Uint8Array.from(atob(base64), (each) => each.charCodeAt(0)).buffer;
