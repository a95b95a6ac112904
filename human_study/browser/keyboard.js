// Keys by their place and by what is printed on them; which are held.

/** @typedef {import("./types.js").Description} Description */
/** @typedef {import("./types.js").Language} Language */

/** @type {Record<string, string>} */
const ARROWS = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓" };
/** @type {Record<string, string>} */
const WORDS = {
  Space: "space", Enter: "return", Tab: "tab", Backspace: "backspace", ShiftLeft: "shift", ShiftRight: "shift",
  ControlLeft: "control", ControlRight: "control", AltLeft: "alt", AltRight: "alt",
};
export const INPUTS = ["none", "left", "right", "jump", "up", "down"]; // by number

/** Which keys give which inputs: the study's, or those that a participant chose. */
export class Controls {
  /** @param {Record<string, number>} inputs  by KeyboardEvent.code @param {boolean} [chosen] */
  constructor(inputs, chosen = false) {
    this.inputs = inputs;
    this.chosen = chosen;
  }

  /** @param {Record<string, string>} keys  as the description has them */
  static of(keys) {
    return new Controls(Object.fromEntries(Object.entries(keys).map(([code, name]) => [code, INPUTS.indexOf(name)])));
  }

  /** From a log's event. @param {{keys: Record<string, number>, chosen: boolean}} event @param {Keyboard} keyboard */
  static logged(event, keyboard) {
    const inputs = Object.entries(event.keys).map(([number, input]) => [keyboard.codeOf(Number(number)), input]);
    return new Controls(Object.fromEntries(inputs), event.chosen);
  }

  /** For the log. @param {Keyboard} keyboard */
  about(keyboard) {
    const keys = Object.entries(this.inputs).map(([code, input]) => [keyboard.numberOf(code), input]);
    return { keys: Object.fromEntries(keys), chosen: this.chosen };
  }

  /** The keys that give that input, arrows first. @param {string} name */
  codes(name) {
    const codes = Object.keys(this.inputs).filter((code) => INPUTS[this.inputs[code]] === name);
    return codes.sort((one, other) => Number(other in ARROWS) - Number(one in ARROWS));
  }
}

/** The keyboard of this computer. */
export class Keyboard {
  /** @param {Description} description */
  constructor(description) {
    this.numbers = description.codes; // USB's, by KeyboardEvent.code
    this.reserved = description.reserved;
    /** @type {Map<string, string>} */
    this.printed = new Map(); // what is printed on keys, as far as it is known
    /** @type {Set<string>} */
    this.held = new Set();
    addEventListener("keydown", (event) => this.take(event), true);
    addEventListener("keyup", (event) => this.held.delete(event.code), true);
    addEventListener("blur", () => this.held.clear());
    this.read();
  }

  /** Some browsers know the keyboard's layout; in the others, keys that were pressed are known. */
  async read() {
    const layout = await /** @type {any} */ (navigator).keyboard?.getLayoutMap().catch(() => null);
    for (const [code, character] of layout ?? []) this.printed.set(code, character.toUpperCase());
  }

  /** @param {KeyboardEvent} event */
  take(event) {
    this.held.add(event.code);
    const isPlain = !event.shiftKey && !event.altKey && !event.ctrlKey && !event.metaKey;
    if (isPlain && [...event.key].length === 1) this.printed.set(event.code, event.key.toUpperCase());
  }

  /** 0 for a key that has no number. @param {string} code */
  numberOf(code) {
    return this.numbers[code] ?? 0;
  }

  /** @param {number} number */
  codeOf(number) {
    return Object.keys(this.numbers).find((code) => this.numbers[code] === number) ?? "";
  }

  /** Whether a key always does the same, and can't be one of the game's. @param {KeyboardEvent} event */
  isReserved(event) {
    return isPause(event) || (this.reserved.includes(event.code) && event.code !== "KeyP");
  }

  /** What a key is called: what is printed on it, or a word. @param {string} code @param {Record<string, string>} words */
  name(code, words) {
    if (ARROWS[code]) return ARROWS[code];
    if (WORDS[code]) return words[`keys.${WORDS[code]}`];
    const keypad = code.match(/^Numpad(\d|Enter)$/);
    if (keypad) return words["keys.keypad"].replace("{key}", keypad[1]);
    const printed = this.printed.get(code) ?? code.match(/^(?:Key|Digit)(.)$/)?.[1];
    return printed ?? words["keys.button"].replace("{number}", String(this.numberOf(code)));
  }
}

/** P, wherever the keyboard has it; where it has no Latin letters, the key at its place. @param {KeyboardEvent} event */
export const isPause = (event) =>
  /^[a-z]$/i.test(event.key) ? event.key.toLowerCase() === "p" : event.code === "KeyP";

/** A key's name for the log. @param {KeyboardEvent} event */
export const loggedName = (event) => (event.key === " " ? "space" : event.key.replace(/^Arrow/, "").toLowerCase());
