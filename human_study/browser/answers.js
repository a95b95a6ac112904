// What can be typed as an answer, as study/answers.py has it: which characters a text keeps, which texts are numbers.

/** @typedef {import("./types.js").Page} Page */

const BREAKS = /[\t\n\v\f\r\x85\u2028\u2029]/g; // end a line or a cell; an answer is one line
const CONTROL = /[\p{Cc}\p{Cs}]/gu;
const SPACE = "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+"; // Python's
const ENDS = new RegExp(`^${SPACE}|${SPACE}$`, "g");
/** @type {Record<string, string>} */
const FULL_WIDTH = { "\uff0c": ",", "\uff0d": "-", "\uff0e": "." }; // as input methods for Chinese and Japanese type them

/** A text without control characters; a line break becomes a space. @param {string} text */
export const cleaned = (text) => text.replace(BREAKS, " ").replace(CONTROL, "");

/** A text without spaces at its ends. @param {string} text */
export const stripped = (text) => text.replace(ENDS, "");

/** A typed number with digits of any script as 0 to 9, and one kind of minus. @param {string} text */
export function plain(text) {
  const here = text.replace(/[\uff0c\uff0d\uff0e]/g, (each) => FULL_WIDTH[each]);
  return here.replace(/\p{Nd}/gu, digit).replace(/[-\u2212]/g, "-").replace(/\u066b/g, ",");
}

/** Unicode has the digits of a script in a row, from 0 to 9, and several scripts may follow each other. @param {string} each */
function digit(each) {
  const code = /** @type {number} */ (each.codePointAt(0));
  let first = code;
  while (first > 0 && /\p{Nd}/u.test(String.fromCodePoint(first - 1))) first--;
  return String((code - first) % 10);
}

/**
 * Why this can't be, or become, an answer to that page: the name of one of its notes; empty if it can.
 * @param {string} text  plain or cleaned
 * @param {Page} page
 */
export function rejection(text, page) {
  if ([...text].length > page.longest) return "long";
  if (page.kind === "text") return "";
  const minus = page.signed ? "-?" : "";
  const decimals = page.decimals ? `([.,][0-9]{0,${page.decimals}})?` : "";
  if (new RegExp(`^${minus}[0-9]*${decimals}$`).test(text)) return "";
  return page.decimals && new RegExp(`^${minus}[0-9]*[.,][0-9]+$`).test(text) ? "decimals" : "digits";
}

/** The typed number; null if it is not a number yet. @param {string} text */
export function number(text) {
  return /[0-9]/.test(text) ? Number(text.replace(",", ".")) + 0 : null; // + 0: -0 is 0
}

/** @param {number} value @param {Page} page */
export const isWithin = (value, page) => page.kind === "plate" || (page.least <= value && value <= page.most);

/**
 * An earlier answer as it would be typed.
 * @param {any} former
 * @param {Page} page
 * @param {string} point  the language's decimal point
 */
export function retyped(former, page, point) {
  if (page.kind === "text") return typeof former === "string" ? former : "";
  const typed = typeof former === "number" ? String(former).replace(".", point) : "";
  return rejection(plain(typed), page) ? "" : typed;
}
