// The study in a browser, from opening the address to the last page.

import { Clock } from "./clock.js";
import { about, isModern, isTooSlow, isTooSmall, isTouched, measured, preferred } from "./device.js";
import { farewell, offerFile } from "./farewell.js";
import { formOf } from "./form_of.js";
import { Game } from "./game.js";
import { Journal } from "./journal.js";
import { Keyboard } from "./keyboard.js";
import { element, Paper } from "./paper.js";
import { patiently } from "./patience.js";
import { bytes } from "./plays.js";
import { Reader } from "./reader.js";
import { excludes, Session } from "./session.js";
import { Store, WrittenTwice } from "./store.js";
import { Refusal } from "./uploads.js";

/** @typedef {import("./types.js").Admission} Admission */
/** @typedef {import("./types.js").Description} Description */
/** @typedef {import("./types.js").Page} Page */
/** @typedef {import("./types.js").Uploads} Uploads */
/** @typedef {import("./store.js").Kept} Kept */

const RESUMABLE = 12 * 3600 * 1000; // ms since its last chunk within which a session is offered again
const RETRY = 1000; // ms
const PATIENCE = 10_000; // ms that somebody new waits until the session before is sent, or offered as a file
const TOO_FAST = 429; // the server asks for patience

/** Everything that a page needs before there is a session. */
class Study {
  /** @param {Description} description @param {ArrayBuffer} engine @param {string} worker @param {Uploads} uploads */
  constructor(description, engine, worker, uploads) {
    this.description = description;
    this.uploads = uploads;
    this.paper = new Paper();
    const keyboard = new Keyboard(description);
    const reader = new Reader(this.paper, keyboard, description);
    const game = new Game(worker, engine, description, keyboard);
    this.tools = { paper: this.paper, keyboard, reader, game };
    game.gamepads.listen({ press: () => (reader.touched = performance.now()) });
    game.gamepads.watch();
    this.panel = takeQuery();
    this.code = "";
    this.language = description.languages[this.code];
    this.speak(preferred(Object.keys(description.languages)));
  }

  /** @param {string} code */
  speak(code) {
    this.code = code;
    this.language = this.description.languages[code];
    this.paper.speak(this.language, code);
  }

  async lead() {
    this.store = isModern() ? await Store.open(this.description.name).catch(() => null) : null;
    if (!this.store) return this.refuse("old");
    if (isTouched()) return this.refuse("phone");
    let kept = await this.store.session();
    if (kept?.token && (await this.resume(this.store, kept))) return;
    if (kept?.token) kept = null; // somebody else begins: under another name, or the server would know the browser
    await this.roomy();
    await this.chooseLanguage();
    const began = performance.now();
    const measuring = measured(this.description.rate);
    if ((await this.ask("consent")) !== "agree") return this.refuse("refused");
    const seconds = Math.round(performance.now() - began) / 1000;
    const answers = await this.askEligibility();
    if (!answers) return this.refuse("refused");
    if (answers.some(({ isExcluded }) => isExcluded)) return this.refuse("not_eligible");
    this.paper.wait();
    const speed = await measuring;
    if (isTooSlow(speed, this.description.rate)) return this.refuse("slow");
    const given = Object.fromEntries(answers.map(({ question, answer }) => [question, answer]));
    const session = await this.begin(this.store, kept, { ...about(), ...speed }, seconds, given);
    for (const { question, answer } of answers) session.note("answer", { question, answer });
    await farewell(session, this.store, await session.walk(), false);
  }

  /** The answers that decide who can take part, up to the first that excludes; null after Escape. */
  async askEligibility() {
    /** @type {{question: string, answer: any, isExcluded: boolean}[]} */
    const answers = [];
    for (const page of this.language.eligibility) {
      const answer = await this.ask(page);
      if (answer === null) return null;
      const question = page.replace("question:", "");
      const isExcluded = await this.isExcluded(page, question, answer);
      answers.push({ question, answer, isExcluded });
      if (isExcluded) break;
    }
    return answers;
  }

  /** Whether nobody with that answer can take part. @param {string} page @param {string} question @param {any} answer */
  async isExcluded(page, question, answer) {
    const asked = this.uploads.isEligible?.bind(this.uploads, question, answer);
    if (!asked) return excludes(this.language.pages[page], answer) !== "";
    return !(await patiently(asked, this.paper, this.language.words));
  }

  /**
   * @param {Store} store
   * @param {Kept | null} kept
   * @param {object} computer
   * @param {number} seconds
   * @param {object} answers  that decide who can take part, by question
   */
  async begin(store, kept, computer, seconds, answers) {
    const client = kept?.client ?? newId();
    await store.keep({ client });
    const wishes = { language: this.code, seconds, about: computer, panel: this.panel, client, answers };
    const clock = new Clock(performance.timeOrigin + performance.now());
    const admission = await this.persist(() => this.uploads.begin(wishes));
    history.replaceState(null, "");
    if (admission.next) return this.takeUp(store, client, admission, answers);
    const { token, code } = admission;
    await store.keep({ client, token, code, language: this.code, began: clock.began, given: answers });
    const journal = new Journal(store, this.uploads, admission.token, clock, [], admission.next);
    return this.session(admission, journal);
  }

  /**
   * A participant of a panel who began with another browser: what was written there comes here, and the page begins anew.
   * @param {Store} store @param {string} client @param {Admission} admission @param {object} given  as ``begin``
   * @returns {Promise<never>}
   */
  async takeUp(store, client, { token, code, language, began }, given) {
    const chunks = await this.persist(() => this.uploads.chunks(token));
    await store.clear();
    for (const [n, text] of chunks.entries()) await store.add(n, text);
    await store.keep({ client, token, code, language, began, given, taken: Date.now() });
    location.reload();
    return new Promise(() => {});
  }

  /** Continues an interrupted session; returns whether there is one. @param {Store} store @param {Kept} kept */
  async resume(store, kept) {
    const token = kept.token ?? "";
    this.speak(kept.language && kept.language in this.description.languages ? kept.language : this.code);
    const clock = new Clock(kept.began ?? 0);
    const chunks = await store.chunks();
    this.paper.wait();
    const admission = await this.persist(() => this.uploads.session(token)).catch(() => null);
    const code = admission?.code ?? kept.code ?? "";
    if (!admission || admission.ended) {
      const sent = Math.min(admission?.next ?? (await store.sent(token)), chunks.length);
      return this.leave(store, new Journal(store, this.uploads, token, clock, chunks, sent), code);
    }
    const journal = new Journal(store, this.uploads, token, clock, chunks, admission.next);
    clock.began = Math.min(clock.began, performance.timeOrigin + performance.now() - journal.last / 1000);
    await journal.settled(RETRY); // what a crash left behind
    if (!(await this.isTheirs(journal, kept.taken))) return this.leave(store, journal, code);
    const session = this.session(admission, journal);
    const past = session.resume();
    if (!past.isFinished) {
      journal.add(["r", clock.now()]);
      journal.note("screen", about());
      for (const [question, answer] of Object.entries(kept.given ?? {})) {
        if (!(question in past.answers)) session.note("answer", { question, answer }); // a crash came before the first chunk
      }
    }
    const end = past.end || past.isFinished ? past.end : await session.walk();
    await farewell(session, store, end, past.isFinished);
    return true;
  }

  /**
   * Nobody continues that session here; what was recorded is not lost. Returns that there is none to continue.
   * @param {Store} store
   * @param {Journal} journal
   * @param {string} code
   */
  async leave(store, journal, code) {
    this.paper.wait();
    journal.onConnection = (isOffline) => this.paper.connect(isOffline);
    await journal.secured(PATIENCE, () => this.saved(journal, code));
    journal.close();
    this.paper.connect(false);
    await store.clear();
    return false;
  }

  /** Resolves once somebody saved a record as a file, and went on. @param {Journal} journal @param {string} code */
  saved(journal, code) {
    const { paper, language } = this;
    const text = journal.isClosed || this.uploads.isFile ? "file_text" : "unsent_text";
    return new Promise((resolve) => {
      const next = { type: "button", className: "act", hidden: true, onclick: resolve };
      const button = element("button", next, language.words["page.next"]);
      const onSaved = () => {
        button.hidden = false;
        button.focus();
      };
      offerFile({ journal, paper, words: language.words, code }, "unsent_title", text, onSaved, button);
    });
  }

  /**
   * Whether the session that was interrupted here is this participant's; one that nobody touched for long is not.
   * @param {Journal} journal
   * @param {number} [taken]  when it came here from another browser, however long after its last entry
   */
  async isTheirs(journal, taken = 0) {
    const [began, ended] = [0, journal.last].map((at) => new Date(journal.clock.began + at / 1000));
    if (Date.now() > Math.max(ended.getTime(), taken) + RESUMABLE) return false;
    const clock = (/** @type {Date} */ time) => time.toLocaleTimeString(this.code, { hour: "2-digit", minute: "2-digit" });
    const isToday = began.toDateString() === new Date().toDateString();
    const day = this.language.words[isToday ? "resume.today" : "resume.yesterday"];
    return (await this.ask("resume", { day, began: clock(began), ended: clock(ended) })) === "mine";
  }

  /** @param {Admission} admission @param {Journal} journal */
  session(admission, journal) {
    const session = new Session(this.description, this.language, admission, journal, this.tools);
    journal.onFailure = (error) => this.fail(error, session);
    journal.onConnection = (isOffline) => {
      this.paper.connect(isOffline);
      session.note("offline", { what: isOffline ? "begin" : "end" });
    };
    return session;
  }

  /** A page outside the session; what it was answered with. @param {string} name @param {Record<string, string>} [filled] */
  async ask(name, filled = {}) {
    const page = JSON.parse(JSON.stringify(this.language.pages[name]), (_, value) =>
      typeof value === "string" ? value.replace(/\{(day|began|ended)\}/g, (whole, key) => filled[key] ?? whole) : value,
    );
    const form = formOf(page, this.filling());
    await this.tools.reader.show(form);
    return form.answer;
  }

  filling() {
    return { words: this.language.words, code: "", capsOf: () => [], paper: this.paper };
  }

  /** Asks for the language if there are several; Escape leaves that page unanswered. */
  async chooseLanguage() {
    while (Object.keys(this.description.languages).length > 1) {
      const form = formOf({ ...this.description.language, chosen: this.code }, this.filling());
      await this.tools.reader.show(form);
      if (form.answer) return this.speak(form.answer);
    }
  }

  /** Waits until the window is large enough. */
  async roomy() {
    if (!isTooSmall()) return;
    this.end(this.notice("small"));
    await new Promise((resolve) => addEventListener("resize", () => isTooSmall() || resolve(null)));
  }

  /** Says why there is no session; a panel may then have somewhere to go. @param {string} why */
  async refuse(why) {
    const { redirect } = await this.uploads.refused({ why, panel: this.panel }).catch(() => ({ redirect: undefined }));
    const page = this.language.pages[why] ?? this.notice(why);
    await this.tools.reader.show(formOf({ ...page, hint: redirect ? this.language.words["page.next"] : "" }, this.filling()));
    if (redirect) location.replace(redirect);
  }

  /** A page with a title and a text of the browser's words. @param {string} name */
  notice(name) {
    const { words } = this.language;
    const blocks = ["title", "text"].map((type) => ({ type, text: words[`browser.${name}_${type}`].trim() }));
    return { kind: "read", blocks, hint: "" };
  }

  /** Shows a page that stays. @param {Page} page */
  end(page) {
    this.paper.show(formOf({ ...page, hint: "" }, this.filling()).content(), { hints: [] });
  }

  /** Asks the server until it answers; a word says that there is no connection. @template T @param {() => Promise<T>} ask */
  async persist(ask) {
    for (;;) {
      try {
        const answer = await ask();
        this.paper.connect(false);
        return answer;
      } catch (error) {
        if (error instanceof Refusal && error.status !== TOO_FAST) throw error;
        this.paper.connect(true);
        await new Promise((resolve) => setTimeout(resolve, RETRY));
      }
    }
  }

  /** The session can't go on. @param {any} error @param {Session} [session] */
  fail(error, session) {
    console.error(error);
    session?.journal.settled(PATIENCE).then(() => session.journal.close()); // unless it was the journal that failed
    document.body.classList.remove("plays");
    const answer = error instanceof Refusal ? error.answer : {};
    if (answer.full) return this.end(this.language.pages.full);
    const why = error instanceof WrittenTwice ? "twice" : answer.reason === "panel" ? "link" : answer.ended ? "ended" : "";
    this.end(why ? this.notice(why) : this.language.pages.failed);
  }
}

/** What a panel put into the address, which then no longer shows it. @returns {Record<string, string>} */
function takeQuery() {
  const given = Object.fromEntries(new URLSearchParams(location.search));
  if (location.search) history.replaceState(given, "", location.pathname); // outlives a reload, and is kept nowhere else
  return history.state ?? {};
}

const newId = () => [...crypto.getRandomValues(new Uint8Array(16))].map((each) => each.toString(16).padStart(2, "0")).join("");

/** A part of the page: a file next to it, or packed within it. @param {string} name */
export async function part(name) {
  const text = (/** @type {string} */ id) => document.getElementById(id)?.textContent;
  const files = JSON.parse(text("files") ?? "{}");
  if (files[name]) return fetch(files[name]);
  const packed = new Blob([bytes(text(name) ?? "")]).stream();
  return new Response(packed.pipeThrough(new DecompressionStream("gzip")));
}

/** @param {(description: Description) => Promise<Uploads>} uploadsOf  where its sessions go */
export async function start(uploadsOf) {
  const [description, engine, worker] = await Promise.all([
    part("description").then((response) => response.json()),
    part("engine").then((response) => response.arrayBuffer()),
    part("worker").then((response) => response.text()),
  ]);
  const study = new Study(description, engine, worker, await uploadsOf(description));
  addEventListener("error", (event) => study.fail(event.error));
  addEventListener("unhandledrejection", (event) => study.fail(event.reason));
  await study.lead();
}
