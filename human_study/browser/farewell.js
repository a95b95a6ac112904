// The end of a session: debriefing, thanks, the way to withdraw at once, and waiting until everything was sent.

import { element } from "./paper.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("./journal.js").Journal} Journal */
/** @typedef {import("./paper.js").Paper} Paper */
/** What was recorded, and what it is offered with. @typedef {{journal: Journal, paper: Paper, words: {[name: string]: string}, code: string}} Recorded */
/** @typedef {import("./store.js").Store} Store */

const PATIENCE = 30_000; // ms without a server after which the record is offered as a file
const RETRY = 1000; // ms until something is tried again

/**
 * Ends the session; nothing of it remains in the browser once the server has everything.
 * @param {Session} session
 * @param {Store} store
 * @param {string} end  the page that ended the session early, or ""
 * @param {boolean} isFinished  whether the journal already says so
 */
export async function farewell(session, store, end, isFinished) {
  const { journal } = session;
  const last = end || (session.language.pages.debriefing ? "debriefing" : "");
  if (!isFinished) {
    if (last) session.note("page", { page: last, what: "begin" });
    journal.add(["f", journal.clock.now()]);
    journal.flush();
  }
  const finished = finish(session);
  if (last) await session.alone(last);
  while ((await session.alone("thanks")) === "withdraw") {
    if ((await session.alone("sure")) === "delete") return withdraw(session, store);
  }
  const { words } = session.language;
  const wheel = element("div", { className: "wait" });
  show(session, [element("h1", {}, words["browser.saving_title"]), element("p", {}, words["browser.saving_text"]), wheel]);
  const answer = await Promise.race([finished, wait(PATIENCE)]);
  const record = { journal, paper: session.tools.paper, words, code: session.admission.code };
  if (!answer) offerFile(record, "unsent_title", "unsent_text");
  const { code, redirect } = answer ?? (await finished);
  journal.close();
  await journal.uploads.leave(journal.token).catch(console.error); // its data are there
  if (journal.uploads.isFile) return offerFile(record, "save", "file_text", () => store.clear());
  await store.clear();
  if (redirect) return location.replace(redirect);
  const given = code ? [element("p", {}, words["browser.panel"]), element("p", { className: "code" }, code)] : [];
  show(session, [element("h1", {}, words["browser.saved"]), ...given]);
}

/** Tells the server, once it has everything, that the session is over; tries until it answers. @param {Session} session */
async function finish({ journal }) {
  for (;;) {
    await journal.settled();
    if (journal.isClosed) return new Promise(() => {}); // the record was deleted, or can't be sent
    try {
      return await journal.uploads.finish(journal.token, journal.chunks.length);
    } catch {
      await wait(RETRY);
    }
  }
}

/** @param {Session} session @param {Store} store */
async function withdraw(session, store) {
  const { journal } = session;
  journal.close();
  session.tools.paper.wait();
  for (let isDone = false; !isDone; ) {
    isDone = await journal.uploads.withdraw(journal.token).then(() => true, () => false);
    if (!isDone) await wait(RETRY);
    session.tools.paper.connect(!isDone);
  }
  await store.clear();
  show(session, session.form(session.language.pages.deleted).content());
}

/**
 * The record as a file, for a page without a server or without a connection.
 * @param {Recorded} record
 * @param {string} title  of the browser's words
 * @param {string} text
 * @param {() => void} [onSaved]
 * @param {HTMLElement[]} further  what comes below the button
 */
export function offerFile({ journal, paper, words, code }, title, text, onSaved = () => {}, ...further) {
  const save = () => {
    const link = element("a", { href: URL.createObjectURL(journal.file()), download: `${code}.chunks.jsonl` });
    link.click();
    URL.revokeObjectURL(link.href);
    onSaved();
  };
  const content = [
    element("h1", {}, words[`browser.${title}`]),
    element("p", {}, words[`browser.${text}`].replace("{id}", "").trim()),
    element("p", { className: "code" }, code),
    element("button", { type: "button", className: "act", onclick: save }, words["browser.save"]),
  ];
  paper.show([...content, ...further], { hints: [] });
}

/** @param {Session} session @param {HTMLElement[]} content */
const show = (session, content) => session.tools.paper.show(content, { hints: [] });

/** @param {number} ms @returns {Promise<undefined>} */
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
