// Gamepads: which ones there are, and which of their parts are pressed. What parts mean, the description says.

/** @typedef {import("./playing.js").KeyChange} KeyChange */
/**
 * From the description (protocol/pads.py): how to read gamepads. ``on``, ``off``: how far a part must move to count as
 * pressed, and to be released; the first layout that fits a gamepad says what its parts are.
 * @typedef {{name: string, input: number, leans: boolean, pauses: boolean, button?: number, axis?: number,
 *   sign?: number}} Part
 * @typedef {{mapping: string, least_buttons: number, parts: Part[]}} Layout
 * @typedef {{on: number, off: number, settle_seconds: number, layouts: Layout[]}} Reading
 */
/**
 * What a browser tells of a gamepad; the rest of it is of no interest.
 * @typedef {{id: string, index: number, mapping: string, axes: readonly number[],
 *   buttons: readonly {value: number}[]}} Device
 */
/**
 * A part of a gamepad was pressed or released. ``code`` identifies the part among all keys, whose codes are not negative;
 * ``isFresh``: it was not held when the gamepad was connected. ``at``: ms by performance.now().
 * @typedef {{isDown: boolean, code: number, name: string, part: Part, isFresh: boolean, at: number}} Press
 * A gamepad was connected or disconnected, described for the log.
 * @typedef {{what: string, number: number, name: string, guid: string, known: boolean, axes: number, buttons: number,
 *   hats: number}} Connection
 * @typedef {{press?: (press: Press) => void, connect?: (connection: Connection, at: number) => void}} Listener
 */

const POLL = 4; // ms between two looks: timers can't be faster, and browsers don't read gamepads more often

/** One gamepad, from when it was connected until it is disconnected. */
class Gamepad {
  /** @param {Device} device @param {Reading} reading @param {number} number @param {number} code  of its first part @param {number} since */
  constructor(device, reading, number, code, since) {
    const fits = (/** @type {Layout} */ { mapping, least_buttons }) =>
      (!mapping || mapping === device.mapping) && device.buttons.length >= least_buttons;
    const layout = /** @type {Layout} */ (reading.layouts.find(fits));
    this.reading = reading;
    this.since = since;
    this.parts = layout.parts.map((part, place) => ({ part, code: code - place, isDown: false }));
    this.about = {
      number, name: device.id, guid: "", known: layout.mapping !== "", axes: device.axes.length,
      buttons: device.buttons.length, hats: 0,
    };
  }

  /** What changed, releases first. @param {Device} device @param {number} at @returns {Press[]} */
  changes(device, at) {
    const { on, off, settle_seconds } = this.reading;
    const changed = this.parts.filter((each) => pressed(device, each.part) > (each.isDown ? off : on) !== each.isDown);
    return this.changed(changed, at, at > this.since + 1000 * settle_seconds);
  }

  /** Everything that is held is released. @param {number} at */
  released(at) {
    return this.changed(this.parts.filter((each) => each.isDown), at, true);
  }

  /** @param {Gamepad["parts"]} parts @param {number} at @param {boolean} isFresh @returns {Press[]} */
  changed(parts, at, isFresh) {
    const sorted = [...parts].sort((one, other) => Number(other.isDown) - Number(one.isDown));
    return sorted.map((each) => {
      each.isDown = !each.isDown;
      const name = `pad ${this.about.number}, ${each.part.name}`;
      return { isDown: each.isDown, code: each.code, name, part: each.part, isFresh, at };
    });
  }
}

/** All gamepads. They can be connected and disconnected at any time. */
export class Gamepads {
  /** @param {Reading | null} [reading]  null: the study takes none */
  constructor(reading = null) {
    this.reading = reading;
    /** @type {Map<number, {id: string, pad: Gamepad}>} */
    this.connected = new Map(); // by the browser's number, which a later gamepad may get
    this.found = 0; // gamepads so far
    this.next = -1; // code of the next part
    /** @type {Set<Listener>} */
    this.listeners = new Set();
    this.timer = 0;
  }

  get count() {
    return this.connected.size;
  }

  /** The connected gamepads, as if each had just been connected. @returns {Connection[]} */
  connections() {
    return [...this.connected.values()].map(({ pad }) => ({ what: "connected", ...pad.about }));
  }

  /** The inputs of all that is held. */
  held() {
    return [...this.connected.values()].flatMap(({ pad }) => pad.parts.filter((each) => each.isDown).map(({ part }) => part.input));
  }

  /** @param {Listener} listener @param {AbortSignal} [signal]  until then */
  listen(listener, signal) {
    this.listeners.add(listener);
    signal?.addEventListener("abort", () => this.listeners.delete(listener));
  }

  /** From now on: a browser shows a gamepad to a page as soon as one of its buttons is pressed there. */
  watch() {
    if (!this.reading || !navigator.getGamepads) return; // browsers have it only where the connection is secure
    for (const name of ["gamepadconnected", "gamepaddisconnected"]) addEventListener(name, () => this.look());
    this.look();
  }

  /** Looks now, and again as long as there are gamepads. */
  look() {
    clearTimeout(this.timer);
    this.take(devices(), performance.now());
    if (this.count) this.timer = setTimeout(() => this.look(), POLL);
  }

  /** What the browser tells now. @param {Device[]} devices @param {number} at */
  take(devices, at) {
    for (const [index, { id, pad }] of this.connected) {
      if (devices.some((device) => device.index === index && device.id === id)) continue;
      this.connected.delete(index);
      this.tell(pad.released(at));
      this.connect("disconnected", pad, at);
    }
    for (const device of devices) {
      const { pad } = this.connected.get(device.index) ?? this.add(device, at);
      this.tell(pad.changes(device, at));
    }
  }

  /** @param {Device} device @param {number} at */
  add(device, at) {
    const pad = new Gamepad(device, /** @type {Reading} */ (this.reading), this.found++, this.next, at);
    const found = { id: device.id, pad };
    this.next -= pad.parts.length;
    this.connected.set(device.index, found);
    this.connect("connected", pad, at);
    return found;
  }

  /** @param {Press[]} presses */
  tell(presses) {
    for (const press of presses) for (const { press: take } of this.listeners) take?.(press);
  }

  /** @param {string} what @param {Gamepad} pad @param {number} at */
  connect(what, pad, at) {
    for (const { connect } of this.listeners) connect?.({ what, ...pad.about }, at);
  }
}

/** As a play takes it. @param {Press} press @param {boolean} hasFocus @param {number} at  microseconds @returns {KeyChange} */
export const asKey = ({ isDown, code, name, part, isFresh }, hasFocus, at) => ({
  isDown, code, name, at, input: part.input, leans: part.leans, isPause: part.pauses, isEscape: false,
  isIgnored: !isFresh || !hasFocus,
});

/** How far a part is pressed, 0 to 1; 0 if the gamepad does not have it. @param {Device} device @param {Part} part */
const pressed = ({ buttons, axes }, { button, axis, sign }) =>
  button !== undefined ? (buttons[button]?.value ?? 0) : Number(sign) * (axes[Number(axis)] ?? 0);

/** @returns {Device[]} */
function devices() {
  try {
    return /** @type {Device[]} */ (navigator.getGamepads().filter((device) => device?.connected));
  } catch {
    return []; // a frame that may not use gamepads
  }
}
