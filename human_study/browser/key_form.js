// The page of keys: participants try them and, where a study allows it, choose others. The answer is the ``Controls``.

import { Form } from "./forms.js";
import { Controls, INPUTS } from "./keyboard.js";
import { element, rows } from "./paper.js";

/** @typedef {import("./forms.js").Filling} Filling */
/** @typedef {import("./gamepads.js").Gamepads} Gamepads */
/** @typedef {import("./keyboard.js").Keyboard} Keyboard */
/** @typedef {import("./types.js").Page} Page */

/**
 * A key of the game lights up and does nothing else; the page's commands are keys that can't be keys of the game. While
 * keys are being chosen, Escape leaves them unchanged.
 */
export class KeyForm extends Form {
  /**
   * @param {Page} page
   * @param {Filling} filling
   * @param {Keyboard} keyboard
   * @param {Gamepads} gamepads
   * @param {Controls} controls
   * @param {Controls} standard
   */
  constructor(page, filling, keyboard, gamepads, controls, standard) {
    super(page, filling);
    this.inputs = /** @type {string[][]} */ (page.inputs); // [name, what it is called]
    this.keyboard = keyboard;
    this.gamepads = gamepads;
    this.controls = controls;
    this.standard = standard;
    /** @type {Set<string>} */
    this.lit = new Set(); // keys that are held, by code
    /** @type {string[][]} */
    this.asked = []; // inputs whose keys are still to be chosen
    /** @type {Record<string, number>} */
    this.chosen = {}; // by code
    this.message = "controls.text";
    this.note = "";
    this.body = element("div", { className: "part" });
  }

  content() {
    this.draw();
    return [...super.content(), this.body];
  }

  /** @param {AbortSignal} gone */
  shown(gone) {
    this.gamepads.listen({ press: () => this.draw(), connect: () => (this.draw(), this.paper.fit()) }, gone);
  }

  draw() {
    const { words } = this.filling;
    this.takesEscape = this.asked.length > 0;
    const message = this.asked.length
      ? words["controls.press"].replace("{input}", this.asked[0][1])
      : words[this.message];
    const note = this.asked.length ? [element("p", { className: "note", role: "alert" }, this.note)] : [];
    const pads = this.gamepads.count ? [element("p", { className: "dim" }, words["controls.pad"])] : [];
    const head = [element("p", { role: "status" }, message), this.rows(), ...pads, ...note];
    this.body.replaceChildren(...head, this.commands());
  }

  rows() {
    const { words } = this.filling;
    const shown = this.asked.length ? new Controls(this.chosen) : this.controls;
    const held = this.gamepads.held();
    return rows(
      this.inputs.map(([input, name]) => {
        if (input === this.asked[0]?.[0]) return { name, caps: ["?"], isLit: true };
        const codes = shown.codes(input);
        const caps = codes.map((code) => this.keyboard.name(code, words));
        const isLit = !this.asked.length && codes.some((code) => this.lit.has(code));
        return { name, caps, isLit: isLit || held.includes(INPUTS.indexOf(input)) };
      }),
    );
  }

  /** What the keys that are no keys of the game do now. */
  commands() {
    const { words } = this.filling;
    const remap = this.page.remap && [["tab", "choose"], ...(this.controls.chosen ? [["backspace", "default"]] : [])];
    const now = this.asked.length ? [["escape", "cancel"]] : [["return", "keep"], ...(remap || [])];
    const buttons = now.map(([key, does]) =>
      element(
        "button",
        { type: "button", className: "command", tabIndex: -1, onclick: () => this.command(does) },
        element("kbd", {}, words[`keys.${key}`]),
        words[`controls.${does}`],
      ),
    );
    return element("div", { className: "commands" }, ...buttons);
  }

  /** @param {string} does */
  command(does) {
    if (does === "keep") return this.enter();
    if (does === "cancel") this.set(this.controls, "controls.cancelled");
    if (does === "default") this.set(this.standard, "controls.text");
    if (does === "choose") {
      this.asked = [...this.inputs];
      this.chosen = {};
      this.note = "";
      this.lit.clear();
    }
    this.draw();
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.repeat) return event.preventDefault();
    if (this.asked.length) this.choose(event);
    else if (event.code in this.controls.inputs) this.lit.add(event.code);
    else if (this.page.remap && event.key === "Tab") this.command("choose");
    else if (this.page.remap && event.key === "Backspace" && this.controls.chosen) this.command("default");
    else return super.key(event);
    event.preventDefault();
    this.draw();
  }

  /** @param {KeyboardEvent} event */
  keyUp(event) {
    if (this.lit.delete(event.code)) this.draw();
  }

  /** @param {KeyboardEvent} event */
  choose(event) {
    const { words } = this.filling;
    if (event.key === "Escape") this.command("cancel");
    else if (this.keyboard.isReserved(event) || !this.keyboard.numberOf(event.code)) {
      this.note = words["controls.reserved"];
    } else if (event.code in this.chosen) this.note = words["controls.taken"];
    else {
      const [input] = /** @type {string[]} */ (this.asked.shift());
      this.chosen[event.code] = INPUTS.indexOf(input);
      this.note = "";
      if (!this.asked.length) this.set(new Controls(this.chosen, true), "controls.changed");
    }
  }

  /** @param {Controls} controls @param {string} message */
  set(controls, message) {
    this.asked = [];
    this.lit.clear();
    this.controls = controls;
    this.message = message;
  }

  enter() {
    this.answer = this.controls;
    this.leave("done");
  }
}
