// What a researcher can wish of a trial in a timeline, and what must be wrong with it.

import { INPUTS } from "./keyboard.js";

/** @typedef {import("./types.js").Description} Description */
/** @typedef {import("./types.js").Host} Host */
/**
 * The parameters of a trial (timeline.js explains each).
 * @typedef {{games: string[], seed: number | null, seconds: number | null, keys: Record<string, string> | null,
 *   practice: boolean, language: string}} Wishes
 */

const GIVEN = INPUTS.slice(1); // by keys: all but none

/**
 * Throws an error, one line, for the first wish that can't be met.
 * @param {Wishes} wishes
 * @param {Description} description
 * @param {string[][]} arms
 */
export function check(wishes, description, arms) {
  const { games, seed, seconds, keys, practice, language } = wishes;
  const { languages, limit, rate } = description;
  const [first] = Object.values(languages);
  const isOrder = games.length === 0 || arms.some((arm) => JSON.stringify(arm) === JSON.stringify(games));
  /** @type {[string, any, boolean, string][]} */
  const rules = [
    ["games", games, isOrder, "one of the lists in jsPsychPriorlab.arms, or none"],
    ["seed", seed, seed === null || (Number.isSafeInteger(seed) && seed >= 0), "a whole number, 0 or more, or null"],
    ["seconds", seconds, seconds === null || isLimit(seconds, limit / rate), `at most the study's ${limit / rate}, or null`],
    ["seconds", seconds, seconds === null || !practice, "null, as practice takes as long as the study says"],
    ["keys", keys, keys === null || !wrongKey(keys, description), wrongKey(keys ?? {}, description)],
    ["practice", practice, typeof practice === "boolean", "true or false"],
    ["practice", practice, !practice || "practice" in first.pages, "false, as the study's practice is 0"],
    ["language", language, language === "" || language in languages, `one of ${Object.keys(languages).join(", ")}`],
  ];
  const wrong = rules.find(([, , isRight]) => !isRight);
  if (wrong) throw new Error(`priorlab: ${wrong[0]} is ${JSON.stringify(wrong[1])}: expected ${wrong[3]}`);
}

/** @param {any} seconds @param {number} most */
const isLimit = (seconds, most) => typeof seconds === "number" && seconds > 0 && seconds <= most;

/** What was expected of the keys; empty if they are right. @param {Record<string, string>} keys @param {Description} description */
function wrongKey(keys, { codes, reserved }) {
  for (const [code, input] of Object.entries(keys)) {
    if (!(code in codes) || reserved.includes(code)) return `other keys than ${code}, by KeyboardEvent.code`;
    if (!GIVEN.includes(input)) return `one of ${GIVEN.join(", ")} for ${code}`;
  }
  const missing = GIVEN.find((input) => !Object.values(keys).includes(input));
  return missing ? `a key for ${missing}` : "";
}
