// Pages on which something is typed: a text, or a number.

import { cleaned, isWithin, number, plain, rejection, retyped, stripped } from "./answers.js";
import { Form } from "./forms.js";
import { element } from "./paper.js";

/** @typedef {import("./forms.js").Filling} Filling */
/** @typedef {import("./types.js").Page} Page */

const TEXT_LINES = 3; // that an empty text field has

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
