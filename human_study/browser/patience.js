// Asks the server for what a page can't know by itself, for as long as it takes.

import { element } from "./paper.js";
import { Refusal } from "./uploads.js";

/** @typedef {import("./paper.js").Paper} Paper */

const RETRY = 1000; // ms
const TOO_FAST = 429; // the server asks for patience

/**
 * The server's answer. Without a connection, a page says that it needs one and tries again by itself.
 * @template T
 * @param {() => Promise<T>} ask
 * @param {Paper} paper
 * @param {Record<string, string>} words
 * @returns {Promise<T>}
 */
export async function patiently(ask, paper, words) {
  paper.wait();
  for (let isSaid = false; ; ) {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof Refusal && error.status !== TOO_FAST) throw error;
      if (!isSaid) {
        const [title, text] = ["title", "text"].map((part) => words[`browser.needed_${part}`].trim());
        const wheel = element("div", { className: "wait" });
        paper.show([element("h1", {}, title), element("p", {}, text), wheel], { hints: [] });
      }
      isSaid = true;
      paper.connect(false); // its word says to go on
      await new Promise((resolve) => setTimeout(resolve, RETRY));
    }
  }
}
