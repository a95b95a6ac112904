// What every play needs of those around it: who listens to the window, notes what happens, and asks whether to stop.

import { formOf } from "./form_of.js";
import { KeyForm } from "./key_form.js";
import { Controls } from "./keyboard.js";
import { bytes } from "./plays.js";

/** @typedef {import("./entries.js").Entries} Entries */
/** @typedef {import("./game.js").Game} Game */
/** @typedef {import("./gamepads.js").Connection} Connection */
/** @typedef {import("./keyboard.js").Keyboard} Keyboard */
/** @typedef {import("./paper.js").Paper} Paper */
/** @typedef {import("./reader.js").Reader} Reader */
/** @typedef {import("./types.js").Admission} Admission */
/** @typedef {import("./types.js").Description} Description */
/** @typedef {import("./types.js").Language} Language */
/** @typedef {import("./types.js").Page} Page */

/** What pages and games are shown with. @typedef {{paper: Paper, reader: Reader, keyboard: Keyboard, game: Game}} Tools */

/** @template {Entries} Written */
export class Sitting {
  /**
   * @param {Description} description
   * @param {Language} language
   * @param {Admission} admission
   * @param {Written} journal
   * @param {Tools} tools
   */
  constructor(description, language, admission, journal, tools) {
    this.description = description;
    this.language = language;
    this.admission = admission;
    this.journal = journal;
    this.tools = tools;
    this.standard = Controls.of(description.keys);
    this.controls = this.standard;
    this.limit = description.limit; // inputs of a play
  }

  /** What happens to the window at any time, or until the signal. @param {AbortSignal} [signal] */
  listen(signal) {
    addEventListener("blur", (event) => this.focus("lost", event.timeStamp), { signal });
    addEventListener("focus", (event) => this.focus("gained", event.timeStamp), { signal });
    const seen = (/** @type {Event} */ event) => {
      this.note("visible", { what: document.hidden ? "hidden" : "visible" }, event.timeStamp);
      if (document.hidden) this.journal.hurry();
    };
    const filled = (/** @type {Event} */ event) =>
      this.note("fullscreen", { what: document.fullscreenElement ? "begin" : "end" }, event.timeStamp);
    document.addEventListener("visibilitychange", seen, { signal });
    document.addEventListener("fullscreenchange", filled, { signal });
    addEventListener("pagehide", () => this.journal.hurry(), { signal });
    this.tools.game.gamepads.listen({ connect: (connection, at) => this.connect(connection, at) }, signal);
  }

  /** The game of the play of that number. @param {number} number @returns {Promise<ArrayBuffer>} */
  async file(number) {
    return bytes(this.admission.games[number]);
  }

  /** Logs an event now, or at a time by performance.now(). @param {string} event @param {object} fields @param {number} [at] */
  note(event, fields, at) {
    if (this.tools.game.isPlaying) this.tools.game.note(event, fields, at ?? performance.now());
    else this.journal.note(event, fields, at);
  }

  /** A game logs the focus itself, among its steps. @param {string} what @param {number} at */
  focus(what, at) {
    if (!this.tools.game.isPlaying) this.journal.note("focus", { what }, at);
  }

  /** So it does what gamepads do. @param {Connection} connection @param {number} [at] */
  connect(connection, at) {
    if (!this.tools.game.isPlaying) this.journal.note("gamepad", connection, at);
  }

  /** Asks whether to stop; null if the participant left that page by Escape. @param {number} [number]  of the play under way */
  async askToStop(number) {
    const isLast = number === undefined || number + 1 === this.description.plays;
    const form = this.form(this.language.pages[isLast ? "stop_last" : "stop"]);
    this.note("page", { page: "stop", what: "begin" });
    await this.tools.reader.show(form);
    this.note("page", { page: "stop", what: "end", value: form.answer });
    return form.answer;
  }

  /** @param {Page} page @param {any} [former]  an earlier answer @returns {import("./forms.js").Form} */
  form(page, former) {
    const { game, keyboard, paper } = this.tools;
    const { words } = this.language;
    const capsOf = (/** @type {string} */ input) => this.controls.codes(input).map((code) => keyboard.name(code, words));
    const filling = { words, code: this.admission.code, capsOf, paper };
    if (page.kind === "keys") return new KeyForm(page, filling, keyboard, game.gamepads, this.controls, this.standard);
    return formOf(page, filling, former);
  }
}
