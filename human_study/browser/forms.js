// Pages: what keys and clicks do on each kind, and what it is answered with.

import { cleaned, isWithin, number, plain, rejection, retyped, stripped } from "./answers.js";
import { drawn, element } from "./paper.js";

/** @typedef {import("./paper.js").Paper} Paper */
/** @typedef {import("./types.js").Page} Page */
/**
 * What a page is filled with: words by name, the participant's code, the caps of an input's keys.
 * @typedef {{words: Record<string, string>, code: string, capsOf: (input: string) => string[], paper: Paper}} Filling
 */

const TEXT_LINES = 3; // that an empty text field has

/** A page of text that Enter ends, and what all forms have in common. */
export class Form {
  /** @param {Page} page @param {Filling} filling */
  constructor(page, filling) {
    this.page = page;
    this.filling = filling;
    this.paper = filling.paper;
    this.hint = page.hint;
    /** @type {any} */
    this.answer = null;
    this.takesEscape = false; // whether Escape has a meaning on this page and does not leave it
    /** @type {(how: string) => void} */
    this.leave = () => {};
  }

  /** The page's blocks, then what the kind of page adds. @returns {HTMLElement[]} */
  content() {
    return this.page.blocks.map((block) => drawn(block, this.filling.code, this.filling.capsOf));
  }

  /** The answer that Enter would give now; null if it would give none. @returns {any} */
  given() {
    return null;
  }

  enter() {
    this.leave("done");
  }

  /** The page is on the screen. */
  shown() {}

  /** @param {KeyboardEvent} event */
  key(event) {
    const ways = /** @type {Record<string, number>} */ ({ ArrowDown: 1, ArrowUp: -1, PageDown: 1, PageUp: -1 });
    if (event.key === "Enter") this.enter();
    else if (event.key === "ArrowLeft") this.leave("back");
    else if (event.key.startsWith("Page")) this.paper.scroll(ways[event.key]);
    else if (event.key in ways) this.move(ways[event.key]);
    else return;
    event.preventDefault();
  }

  /** @param {KeyboardEvent} _event */
  keyUp(_event) {}

  /** Up (-1) or down (1). @param {number} way */
  move(way) {
    this.paper.scroll(way);
  }
}

/** One of several options; ``chosen`` is its number, -1 for none. */
export class ChoiceForm extends Form {
  /** @param {Page} page @param {Filling} filling @param {any} former  an earlier answer */
  constructor(page, filling, former) {
    super(page, filling);
    this.names = /** @type {string[]} */ (page.options.map((/** @type {string[]} */ [name]) => name));
    this.chosen = this.names.indexOf(former ?? page.chosen);
    this.options = page.options.map((/** @type {string[]} */ [, text], /** @type {number} */ at) =>
      element("button", { type: "button", className: "option", role: "radio", onclick: () => this.choose(at) }, text),
    );
  }

  content() {
    const className = this.page.kind === "scale" ? "options points" : "options";
    return [...super.content(), element("div", { className, role: "radiogroup" }, ...this.options)];
  }

  shown() {
    this.choose(this.chosen);
  }

  /** @param {number} at */
  choose(at) {
    this.chosen = at;
    this.options.forEach((/** @type {HTMLElement} */ option, /** @type {number} */ number) => {
      option.setAttribute("aria-checked", String(number === at));
      option.tabIndex = number === Math.max(at, 0) ? 0 : -1;
    });
    this.options[at]?.focus({ preventScroll: true });
  }

  /** To the next option if it is visible; if not, the page scrolls towards it. @param {number} way */
  move(way) {
    const target = (this.chosen < 0 ? (way > 0 ? -1 : this.names.length) : this.chosen) + way;
    if (!this.options[target]) return super.move(way);
    if (this.paper.reach(this.options[target])) this.choose(target);
  }

  given() {
    return this.names[this.chosen] ?? null;
  }

  enter() {
    this.answer = this.given();
    if (this.answer !== null) this.leave("done");
  }
}

/** Any number of options; Space chooses the one that has the focus, or no longer does. */
export class SeveralForm extends Form {
  /** @param {Page} page @param {Filling} filling @param {any} former */
  constructor(page, filling, former) {
    super(page, filling);
    /** @type {Set<string>} */
    this.chosen = new Set(former ?? []);
    this.at = 0;
    this.options = page.options.map((/** @type {string[]} */ [name, text], /** @type {number} */ at) => {
      const isChosen = this.chosen.has(name);
      const properties = { type: "button", className: "option", role: "checkbox", "aria-checked": isChosen };
      return element("button", { ...properties, onclick: () => this.toggle(at) }, text);
    });
  }

  content() {
    return [...super.content(), element("div", { className: "options", role: "group" }, ...this.options)];
  }

  shown() {
    this.options[0].focus({ preventScroll: true });
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.key !== " ") return super.key(event);
    this.toggle(this.at);
    event.preventDefault();
  }

  /** @param {number} at */
  toggle(at) {
    const name = this.page.options[at][0];
    this.at = at;
    if (!this.chosen.delete(name)) this.chosen.add(name);
    this.options[at].setAttribute("aria-checked", String(this.chosen.has(name)));
    this.options[at].focus({ preventScroll: true });
  }

  /** @param {number} way */
  move(way) {
    const target = this.options[this.at + way];
    if (!target) return super.move(way);
    if (!this.paper.reach(target)) return;
    this.at += way;
    target.focus({ preventScroll: true });
  }

  /** In the page's order. */
  given() {
    return this.page.options.map((/** @type {string[]} */ [name]) => name).filter((/** @type {string} */ each) => this.chosen.has(each));
  }

  enter() {
    this.answer = this.given();
    this.leave("done");
  }
}

/**
 * A text or a number that is typed, or the one option that stands for no answer. Input that can't be part of the answer is
 * rejected completely, and a note says why: nothing that was typed turns into a different number.
 */
export class TypedForm extends Form {
  /** @param {Page} page @param {Filling} filling @param {any} former */
  constructor(page, filling, former) {
    super(page, filling);
    this.former = former ?? null;
    this.isNumber = page.kind !== "text";
    this.declined = page.decline != null && former === page.decline[0];
    this.text = this.declined ? "" : retyped(former, page, filling.words["answer.point"]);
    const properties = { className: this.isNumber ? "entry short" : "entry", value: this.text, autocomplete: "off" };
    const label = { spellcheck: false, "aria-label": page.blocks[0]?.text ?? "" };
    this.entry = this.isNumber
      ? element("input", { ...properties, ...label, type: "text", inputMode: "decimal" })
      : element("textarea", { ...properties, ...label, rows: TEXT_LINES });
    this.entry.addEventListener("beforeinput", () => (this.caret = this.entry.selectionStart ?? 0));
    this.entry.addEventListener("input", (event) => /** @type {InputEvent} */ (event).isComposing || this.take());
    this.entry.addEventListener("compositionend", () => this.take());
    this.entry.addEventListener("pointerdown", () => this.decline(false));
    this.note = element("p", { className: "note", role: "alert" });
    this.option = page.decline
      ? element("button", { type: "button", className: "option", role: "radio", tabIndex: -1 }, page.decline[1])
      : null;
    this.option?.addEventListener("click", () => this.decline(true));
    this.caret = 0; // before the last change
  }

  content() {
    return [...super.content(), this.entry, this.note, ...(this.option ? [this.option] : [])];
  }

  shown() {
    this.decline(this.declined);
    this.entry.setSelectionRange(this.text.length, this.text.length);
  }

  /** What is in the field becomes the answer, or it becomes again what it was. */
  take() {
    const text = this.isNumber ? plain(this.entry.value) : cleaned(this.entry.value);
    const why = rejection(text, this.page);
    const caret = why ? this.caret : (this.entry.selectionStart ?? 0) + text.length - this.entry.value.length;
    if (!why) this.text = text;
    if (this.entry.value !== this.text) {
      this.entry.value = this.text;
      this.entry.setSelectionRange(caret, caret);
    }
    this.decline(false);
    this.note.textContent = why ? this.page.notes[why] : "";
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const isWithin = event.key === "ArrowLeft" && !this.declined && this.entry.selectionEnd !== 0;
    const moves = event.key.startsWith("Arrow") && !["ArrowLeft", "ArrowRight"].includes(event.key);
    const isFirst = event.key === "ArrowLeft" && !event.repeat; // not while it is held to move the caret there
    if (event.key === "Enter" || event.key.startsWith("Page") || moves || (isFirst && !isWithin)) super.key(event);
  }

  /** @param {number} way */
  move(way) {
    this.decline(way > 0 && this.option !== null);
    super.move(way);
  }

  /** @param {boolean} declined */
  decline(declined) {
    this.declined = declined;
    this.note.textContent = "";
    this.option?.setAttribute("aria-checked", String(declined));
    (declined ? this.option : this.entry)?.focus();
  }

  given() {
    if (this.declined) return this.page.decline[0];
    if (!this.isNumber) return stripped(this.text) || (this.former === null ? null : "");
    const value = number(this.text);
    return value !== null && isWithin(value, this.page) ? value : null;
  }

  enter() {
    const answer = this.given();
    if (answer === null && this.isNumber) {
      const isOutside = number(this.text) !== null;
      this.note.textContent = this.page.notes[isOutside ? "outside" : "empty"].replace("{number}", this.text);
    } else {
      this.answer = answer ?? "";
      this.leave("done");
    }
  }
}
