// A class, as a student sees it: a notice, the keys, the game, and how far it went.

import { Clock } from "../browser/clock.js";
import { isModern, isTooSmall, isTouched, preferred } from "../browser/device.js";
import { ChoiceForm, Form } from "../browser/forms.js";
import { Game } from "../browser/game.js";
import { Controls, Keyboard } from "../browser/keyboard.js";
import { element, Paper } from "../browser/paper.js";
import { bytes } from "../browser/plays.js";
import { Reader } from "../browser/reader.js";
import { Sending } from "./sending.js";

/** @typedef {import("../browser/types.js").Description} Description */
/** @typedef {import("./sending.js").Reached} Reached */

const PATIENCE = 15_000; // ms that the game may take to come
const PLAYED = "played"; // kept by the tab until it is closed: a second play is no first encounter

class Student {
  /** @param {Description} description @param {ArrayBuffer} engine @param {string} worker */
  constructor(description, engine, worker) {
    const codes = Object.keys(description.languages);
    const code = preferred(codes);
    this.description = description;
    this.language = description.languages[code];
    this.paper = new Paper();
    this.paper.speak(this.language, code);
    this.keyboard = new Keyboard(description);
    this.reader = new Reader(this.paper, this.keyboard, description);
    this.controls = Controls.of(description.keys);
    this.game = new Game(worker, engine, description, this.keyboard);
  }

  async lead() {
    if (!isModern()) return this.stay("old");
    if (isTouched()) return this.stay("phone");
    if (isTooSmall()) {
      this.stay("small");
      await new Promise((resolve) => addEventListener("resize", () => isTooSmall() || resolve(null)));
    }
    const wish = await this.choose(history.state === PLAYED ? "again" : "notice");
    if (wish === "leave") return this.stay("left");
    this.paper.wait();
    const { token, game } = await this.join(wish === "join");
    await this.reader.show(new Form(this.language.pages.begin, this.filling()));
    history.replaceState(PLAYED, "");
    const sending = new Sending(new Clock(performance.timeOrigin + performance.now()), token);
    sending.onFailure = (error) => this.fail(error);
    const ended = await this.play(bytes(game), sending);
    this.paper.wait();
    const reached = await sending.end();
    this.finish(ended, sending.inputs.length, reached);
  }

  /** @param {boolean} counted @returns {Promise<{token: string, game: string}>} */
  async join(counted) {
    const body = JSON.stringify({ counted });
    for (;;) {
      const headers = { "Content-Type": "application/json" };
      const asked = { method: "POST", body, headers, signal: AbortSignal.timeout(PATIENCE) };
      const response = await fetch("api/join", asked);
      if (response.ok) return response.json();
      if (response.status !== 429) throw new Error(`the class can't be joined: ${response.status}`);
      await new Promise((resolve) => setTimeout(resolve, 1000 + 2000 * Math.random()));
    }
  }

  /** Plays until the game ends or the student stops: "win", "limit" or "stop". @param {ArrayBuffer} file @param {Sending} sending */
  async play(file, sending) {
    const session = /** @type {any} */ ({ journal: sending, controls: this.controls, language: this.language });
    await this.game.load(session, file, { limit: this.description.limit, probes: [] });
    for (let wait = ""; ; wait = "stop") {
      const how = await this.game.run(wait);
      if (how !== "escape") return how;
      if ((await this.choose("stop")) === "stop") return "stop";
    }
  }

  /** The option chosen; Escape chooses none, and the page stays. @param {string} name @returns {Promise<string>} */
  async choose(name) {
    for (;;) {
      const form = new ChoiceForm(this.language.pages[name], this.filling());
      await this.reader.show(form);
      if (form.answer) return form.answer;
    }
  }

  /** @param {string} ended @param {number} inputs @param {Reached} reached */
  finish(ended, inputs, reached) {
    const { words } = this.language;
    const seconds = Math.round(inputs / this.description.rate);
    const time = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    const share = ended === "win" ? 1 : reached.share;
    const far = String(share === undefined ? reached.states : Math.min(Math.round(100 * share), ended === "win" ? 100 : 99));
    const measure = share !== undefined ? "share" : reached.states !== undefined ? "states" : "unknown";
    const line = (ended === "win" ? words.won : words[measure]).replace("{time}", time).replace("{far}", far);
    const content = [element("h1", {}, words.over_title), element("p", {}, line)];
    if (share !== undefined) {
      const bar = element("i");
      bar.style.width = `${100 * share}%`;
      content.push(element("div", { className: "far", role: "img", "aria-label": line }, bar));
    }
    this.paper.show([...content, element("p", { className: "dim" }, words.together)], { hints: [] });
  }

  /** Shows a page that stays. @param {string} name */
  stay(name) {
    this.paper.show(new Form(this.language.pages[name], this.filling()).content(), { hints: [] });
  }

  /** @param {unknown} error */
  fail(error) {
    console.error(error);
    document.body.classList.remove("plays");
    this.stay("failed");
  }

  filling() {
    const capsOf = (/** @type {string} */ input) =>
      this.controls.codes(input).map((code) => this.keyboard.name(code, this.language.words));
    return { words: this.language.words, code: "", capsOf, paper: this.paper };
  }
}

async function start() {
  const files = JSON.parse(document.getElementById("files")?.textContent ?? "{}");
  const [description, engine, worker] = await Promise.all([
    fetch(files.description).then((response) => response.json()),
    fetch(files.engine).then((response) => response.arrayBuffer()),
    fetch(files.worker).then((response) => response.text()),
  ]);
  const student = new Student(description, engine, worker);
  addEventListener("error", (event) => student.fail(event.error));
  addEventListener("unhandledrejection", (event) => student.fail(event.reason));
  await student.lead();
}

start();
