// Pages: what keys and clicks do on each kind, and what it is answered with.

import { drawn, element } from "./paper.js";

/** @typedef {import("./paper.js").Paper} Paper */
/** @typedef {import("./types.js").Page} Page */
/**
 * What a page is filled with: words by name, the participant's code, the caps of an input's keys.
 * @typedef {{words: Record<string, string>, code: string, capsOf: (input: string) => string[], paper: Paper}} Filling
 */

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

  /** The page is on the screen, until it is gone. @param {AbortSignal} _gone */
  shown(_gone) {}

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
  /** @param {Page} page @param {Filling} filling @param {any} [former]  an earlier answer */
  constructor(page, filling, former) {
    super(page, filling);
    this.lines = this.offered();
    this.answers = this.lines.map(([name]) => this.answerOf(name));
    this.chosen = this.answers.indexOf(former ?? page.chosen);
    this.options = this.lines.map(([name, text], at) => this.option(name, text, () => this.choose(at)));
  }

  /** [name, text] of each option. @returns {string[][]} */
  offered() {
    return this.page.options;
  }

  /** What choosing the option of that name answers. @param {string} name @returns {string | number} */
  answerOf(name) {
    return name;
  }

  /** @param {string} _name @param {string} text @param {() => void} onclick */
  option(_name, text, onclick) {
    return element("button", { type: "button", className: "option", role: "radio", onclick }, text);
  }

  content() {
    return [...super.content(), element("div", { className: "options", role: "radiogroup" }, ...this.options)];
  }

  shown() {
    this.choose(this.chosen);
  }

  /** @param {number} at */
  choose(at) {
    this.chosen = at;
    this.options.forEach((option, number) => {
      option.setAttribute("aria-checked", String(number === at));
      option.tabIndex = number === Math.max(at, 0) ? 0 : -1;
    });
    this.options[at]?.focus({ preventScroll: true });
  }

  /** To the next option if it is visible; if not, the page scrolls towards it. @param {number} way */
  move(way) {
    const target = (this.chosen < 0 ? (way > 0 ? -1 : this.options.length) : this.chosen) + way;
    if (!this.options[target]) return super.move(way);
    if (this.paper.reach(this.options[target])) this.choose(target);
  }

  given() {
    return this.answers[this.chosen] ?? null;
  }

  enter() {
    this.answer = this.given();
    if (this.answer !== null) this.leave("done");
  }
}

/** Points in order, some of them with labels; the answer is a point's number. A digit chooses its point. */
export class ScaleForm extends ChoiceForm {
  offered() {
    return [...this.page.options, ...(this.page.decline ? [this.page.decline] : [])];
  }

  /** Whether that is a point, and not the option that stands for no answer. @param {string} name */
  isPoint(name) {
    return name !== this.page.decline?.[0];
  }

  /** @param {string} name */
  answerOf(name) {
    return this.isPoint(name) ? Number(name) : name;
  }

  /** @param {string} name @param {string} text @param {() => void} onclick */
  option(name, text, onclick) {
    const made = super.option(name, text, onclick);
    if (this.isPoint(name)) made.prepend(element("b", { className: "point" }, name));
    return made;
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const point = this.lines.findIndex(([name]) => name === event.key);
    if (point >= 0) this.choose(point);
    else super.key(event);
  }
}

/** Some of several options; Space marks the one that has the focus, or no longer does. */
export class SeveralForm extends Form {
  /** @param {Page} page @param {Filling} filling @param {any} [former] */
  constructor(page, filling, former) {
    super(page, filling);
    this.names = /** @type {string[]} */ (page.options.map((/** @type {string[]} */ [name]) => name));
    this.marked = new Set(former ?? page.chosen);
    this.at = 0;
    this.options = this.names.map((name, at) => {
      const properties = { type: "button", className: "option", role: "checkbox", onclick: () => this.toggle(at) };
      return element("button", { ...properties, "aria-checked": this.marked.has(name) }, page.options[at][1]);
    });
    this.note = element("p", { className: "note", role: "alert" });
  }

  content() {
    return [...super.content(), element("div", { className: "options", role: "group" }, ...this.options), this.note];
  }

  shown() {
    this.options[0].focus({ preventScroll: true });
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.key !== " ") return super.key(event);
    if (!event.repeat) this.toggle(this.at);
    event.preventDefault();
  }

  /** @param {number} at */
  toggle(at) {
    const name = this.names[at];
    this.at = at;
    if (!this.marked.delete(name)) this.marked.add(name);
    this.options[at].setAttribute("aria-checked", String(this.marked.has(name)));
    this.options[at].focus({ preventScroll: true });
    this.note.textContent = "";
  }

  /** @param {number} way */
  move(way) {
    const target = this.options[this.at + way];
    if (!target) return super.move(way);
    if (!this.paper.reach(target)) return;
    this.at += way;
    target.focus({ preventScroll: true });
  }

  /** In the page's order; null if they are too few or too many. */
  given() {
    const fits = this.page.least <= this.marked.size && this.marked.size <= this.page.most;
    return fits ? this.names.filter((name) => this.marked.has(name)) : null;
  }

  enter() {
    this.answer = this.given();
    if (this.answer) this.leave("done");
    else this.note.textContent = this.page.notes[this.marked.size < this.page.least ? "at_least" : "at_most"];
  }
}
