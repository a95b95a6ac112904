// A game on the page: shows the worker's pictures, and sends it what keys, gamepads and the window do.

import { asKey, Gamepads } from "./gamepads.js";
import { isPause, loggedName } from "./keyboard.js";

/** @typedef {import("./entries.js").Entries} Entries */
/** @typedef {import("./keyboard.js").Keyboard} Keyboard */
/** @typedef {import("./schedule.js").Due} Due */
/** @typedef {import("./schedule.js").Probe} Probe */
/** @typedef {import("./sitting.js").Sitting<any>} Sitting */
/** @typedef {import("./types.js").Description} Description */
/** @typedef {import("./types.js").Entry} Entry */
/**
 * From the worker.
 * @typedef {{opened?: {width: number, height: number, ended: string, due: Due[]}, isStep?: boolean, entries: Entry[],
 *   paused: boolean, isLeaving: boolean, ended: string, due: Due[], count: number, picture: ArrayBuffer}} News
 */

const LEFT_ALONE = ["F11", "F12"]; // keys that stay the browser's

export class Game {
  /**
   * @param {string} source  of the worker
   * @param {ArrayBuffer} engine
   * @param {Description} description
   * @param {Keyboard} keyboard
   * @param {HTMLElement} [page]  that holds the stage
   */
  constructor(source, engine, description, keyboard, page = document.body) {
    this.description = description;
    this.keyboard = keyboard;
    this.gamepads = new Gamepads(description.gamepads); // none, until somebody watches them
    this.page = page;
    this.stage = /** @type {HTMLElement} */ (page.querySelector("#stage"));
    this.canvas = /** @type {HTMLCanvasElement} */ (this.stage.querySelector("canvas"));
    const context = this.canvas.getContext("2d", { alpha: false });
    this.context = /** @type {CanvasRenderingContext2D} */ (context);
    this.notice = /** @type {HTMLElement} */ (this.stage.querySelector(".notice"));
    this.word = /** @type {HTMLElement} */ (this.stage.querySelector(".word"));
    this.worker = new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
    this.worker.postMessage({ engine }, [engine]);
    /** @type {Entry[]} */
    this.open = []; // the last step, until its picture is on the screen, and what follows it
    this.isPlaying = false;
    /** @type {Due[]} */
    this.due = []; // questions that interrupted the game
    this.count = 0; // inputs so far
    /** @type {(step: Entry) => void} */
    this.takeStep = () => {};
    /** @type {ArrayBuffer | null} */
    this.picture = null; // not yet drawn
    /** @type {(news: News) => void} */
    this.onEnd = () => {};
  }

  /**
   * Opens a game at its beginning, or where its first inputs led. Returns how it has ended ("win", "limit" or "") and the
   * questions that are due.
   * @param {Sitting} session
   * @param {ArrayBuffer} file
   * @param {{limit: number, probes: Probe[]}} own  rules of this game
   * @param {number[]} [inputs]
   * @param {(step: Entry) => void} [takeStep]  who takes the steps and states, if not the journal
   */
  async load({ journal, controls, language }, file, own, inputs = [], takeStep = (step) => journal.add(step)) {
    this.journal = journal;
    this.words = language.words;
    this.takeStep = takeStep;
    const { rate, idle_seconds, refocus_seconds, state } = this.description;
    const keys = Object.entries(controls.inputs).map(([code, input]) => [this.keyboard.numberOf(code), input]);
    const rules = { rate, idle_seconds, refocus_seconds, has_key: state.has_key, keys: Object.fromEntries(keys), ...own };
    /** @type {Promise<News>} */
    const news = new Promise((resolve) => (this.worker.onmessage = ({ data }) => resolve(data)));
    this.worker.onerror = (event) => journal.fail(new Error(event.message));
    this.worker.postMessage({ open: file, rules, inputs, began: journal.clock.began }, [file]);
    const { opened, count } = await news;
    const { width, height, ended, due } = /** @type {NonNullable<News["opened"]>} */ (opened);
    this.canvas.width = width;
    this.canvas.height = height;
    this.count = count;
    return { ended, due };
  }

  /**
   * The game goes on until it ends ("win", "limit"), the participant wants to leave it ("escape") or questions are due
   * ("probe"), which are then in ``due``.
   * @param {string} wait  why it waits for a key at first; empty if it does not
   * @returns {Promise<string>}
   */
  async run(wait) {
    const listening = new AbortController();
    this.listen(listening.signal);
    this.page.classList.add("plays");
    this.notice.textContent = this.words?.["page.pause"] ?? "";
    this.word.textContent = "";
    this.fit();
    this.isPlaying = true;
    const held = [...this.keyboard.held].map((code) => this.keyboard.numberOf(code));
    /** @type {Promise<News>} */
    const end = new Promise((resolve) => (this.onEnd = resolve));
    this.worker.onmessage = ({ data }) => this.take(data);
    this.worker.postMessage({ begin: held, wait: wait || (document.hasFocus() ? "" : "focus") });
    const { ended, isLeaving, due, count } = await end;
    this.due = due;
    this.count = count;
    if (ended) await this.stay(ended);
    this.worker.postMessage({ stop: true });
    listening.abort();
    this.isPlaying = false;
    this.release();
    this.page.classList.remove("plays");
    return ended || (isLeaving ? "escape" : "probe");
  }

  /** The last picture stays for a while, with a word below it, or until Escape. @param {string} ended */
  async stay(ended) {
    this.word.textContent = this.words?.[ended === "win" ? "end.won" : "end.time_up"] ?? "";
    await new Promise((resolve) => {
      setTimeout(resolve, 1000 * this.description.end_seconds);
      this.onEnd = (news) => news.isLeaving && resolve(null);
    });
  }

  /** @param {News} news */
  take(news) {
    if (news.isStep) this.release();
    const isWaiting = this.open.length > 0 || news.isStep;
    for (const entry of news.entries) isWaiting ? this.open.push(entry) : this.add(entry);
    this.stage.classList.toggle("paused", news.paused);
    if (!this.picture) requestAnimationFrame(() => this.draw());
    this.picture = news.picture;
    if (news.ended || news.isLeaving || news.due.length) this.onEnd(news);
  }

  draw() {
    if (!this.picture) return;
    const { width, height } = this.canvas;
    this.context.putImageData(new ImageData(new Uint8ClampedArray(this.picture), width, height), 0, 0);
    this.picture = null;
    const step = this.open.find((entry) => entry[0] === "s");
    if (step) step[4] = Math.max(this.clocked(performance.now()), /** @type {number} */ (step[3]));
    this.release();
  }

  /** What waited for a picture goes into the journal: it was shown, or it never will be. */
  release() {
    for (const entry of this.open) this.add(entry);
    this.open = [];
  }

  /** @param {Entry} entry */
  add(entry) {
    if (entry[0] === "e") this.journal?.add(entry);
    else this.takeStep(entry);
  }

  /** As large as it fits, each pixel of the game a whole number of the screen's, if there is room. */
  fit() {
    const { width, height } = this.canvas;
    const room = [innerWidth * devicePixelRatio, innerHeight * devicePixelRatio];
    const most = Math.min(room[0] / width, room[1] / height);
    const zoom = Math.floor(most) || most;
    const place = { left: room[0] - zoom * width, top: room[1] - zoom * height };
    this.canvas.style.width = `${(zoom * width) / devicePixelRatio}px`;
    this.canvas.style.height = `${(zoom * height) / devicePixelRatio}px`;
    this.canvas.style.left = `${Math.floor(place.left / 2) / devicePixelRatio}px`;
    this.canvas.style.top = `${Math.floor(place.top / 2) / devicePixelRatio}px`;
  }

  /** @param {AbortSignal} signal */
  listen(signal) {
    addEventListener("keydown", (event) => this.key(event, true), { signal });
    addEventListener("keyup", (event) => this.key(event, false), { signal });
    addEventListener("blur", (event) => this.focus(false, event.timeStamp), { signal });
    addEventListener("focus", (event) => this.focus(true, event.timeStamp), { signal });
    addEventListener("resize", () => this.fit(), { signal });
    this.gamepads.listen(
      {
        press: (press) => this.worker.postMessage({ key: asKey(press, document.hasFocus(), this.clocked(press.at)) }),
        connect: (connection, at) => this.worker.postMessage({ connection, at: this.clocked(at) }),
      },
      signal,
    );
    const onPage = (/** @type {string} */ name, /** @type {() => void} */ handle) =>
      document.addEventListener(name, handle, { signal });
    onPage("visibilitychange", () => document.hidden && this.release());
    onPage("fullscreenchange", () => document.fullscreenElement || this.leave());
  }

  /** @param {KeyboardEvent} event @param {boolean} isDown */
  key(event, isDown) {
    const isBrowsers = LEFT_ALONE.includes(event.code) || event.ctrlKey || event.metaKey;
    if (!isBrowsers) event.preventDefault();
    if (event.repeat || event.isComposing) return;
    this.worker.postMessage({
      key: {
        isDown, code: this.keyboard.numberOf(event.code), name: loggedName(event), isPause: isPause(event),
        isEscape: event.key === "Escape", isIgnored: event.code === "F11", at: this.clocked(event.timeStamp),
      },
    });
  }

  /** A browser that takes Escape itself, to leave its full screen. */
  leave() {
    const key = { isDown: true, code: this.keyboard.numberOf("Escape"), name: "escape", isPause: false };
    this.worker.postMessage({ key: { ...key, isEscape: true, isIgnored: false, at: this.clocked(performance.now()) } });
  }

  /** Logs an event in its place among the steps. @param {string} event @param {object} fields @param {number} at */
  note(event, fields, at) {
    this.worker.postMessage({ note: event, fields, at: this.clocked(at) });
  }

  /** @param {boolean} isGained @param {number} at */
  focus(isGained, at) {
    this.worker.postMessage({ focus: isGained, at: this.clocked(at) });
  }

  /** @param {number} at  by performance.now() */
  clocked(at) {
    return /** @type {Entries} */ (this.journal).clock.now(at);
  }
}
