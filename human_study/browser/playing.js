// A play as it happens: when steps are due, what keys, pauses and the focus do. Runs in the worker; knows no page.

import { Schedule } from "./schedule.js";

/** @typedef {import("./gamepads.js").Connection} Connection */
/** @typedef {import("./schedule.js").Due} Due */
/** @typedef {import("./schedule.js").Probe} Probe */
/** @typedef {import("./types.js").EngineGame} EngineGame */
/** @typedef {import("./types.js").EngineKeys} EngineKeys */
/** @typedef {import("./types.js").Entry} Entry */

/**
 * Times in seconds, ``keys`` by number of the key; ``has_key``: which number of a state says whether the player has the
 * key.
 * @typedef {{rate: number, limit: number, idle_seconds: number, refocus_seconds: number, probes: Probe[],
 *   has_key: number, keys: Record<number, number>}} Rules
 * @typedef {{isDown: boolean, code: number, name: string, at: number, isPause: boolean, isEscape: boolean,
 *   isIgnored: boolean, input?: number, leans?: boolean}} KeyChange
 */

const MICRO = 1_000_000;

/**
 * One play. Each time an input is due, call ``step``; ``key``, ``focus`` and ``pause`` whenever something happens. What a
 * log should hold collects in ``entries``. All times are microseconds since consent.
 */
export class Playing {
  /** @param {EngineGame} game @param {EngineKeys} keys @param {Rules} rules @param {number[]} inputs  of before a reload */
  constructor(game, keys, rules, inputs) {
    this.game = game;
    this.keys = keys;
    this.rules = rules;
    this.count = 0; // inputs so far
    this.hasWon = false;
    this.schedule = new Schedule(rules.probes);
    /** @type {Due[]} */
    this.due = []; // questions that are to be asked now
    for (const input of inputs) this.take(input);
    /** @type {Entry[]} */
    this.entries = [];
    this.paused = false;
    this.why = "";
    this.isLeaving = false; // whether Escape was pressed
    this.touched = 0; // when a key last went down or up
    this.focused = -Infinity; // when the focus came back
    /** @type {Set<number>} */
    this.stale = new Set(); // keys held since before the game: not fresh until released
    /** @type {Set<number>} */
    this.leaning = new Set(); // sticks and triggers that are held, which needs no hand
    this.began = 0;
    this.number = 0; // of the current step, from the beginning or the last continuation
  }

  /** "win", "limit" or, while the play goes on, "". */
  get ended() {
    return this.hasWon ? "win" : this.count >= this.rules.limit ? "limit" : "";
  }

  /**
   * The first picture is on the screen. Keys that are held count once they are pressed again.
   * @param {number} now
   * @param {number[]} held  numbers of keys
   * @param {string} wait  why the game waits for a fresh press at first; empty if it does not
   */
  begin(now, held, wait) {
    this.isLeaving = false;
    this.due = [];
    this.keys.releaseAll();
    this.stale = new Set(held);
    this.leaning.clear();
    if (wait) this.pause(wait, now);
    this.touched = this.began = now;
    this.number = 0;
  }

  /** When the next step is due; steps that were due before are missed. @param {number} now */
  nextDue(now) {
    this.number = Math.max(this.number + 1, Math.floor(((now - this.began) * this.rules.rate) / MICRO) + 1);
    return this.began + Math.round((this.number * MICRO) / this.rules.rate);
  }

  /** Takes an input unless the game waits; returns whether it did. @param {number} due @param {number} now */
  step(due, now) {
    const isUntouched = now > this.touched + this.rules.idle_seconds * MICRO;
    if (isUntouched) for (const code of this.leaning) this.keys.release(code); // nobody plays with a stick that drifts
    if (!this.paused && isUntouched && !this.keys.held) this.pause("idle", now);
    if (this.paused || this.isLeaving) return false;
    const input = this.keys.take();
    this.take(input);
    this.entries.push(["s", input, due, now, null]);
    if (this.count % this.rules.rate === 0) this.entries.push(["h", this.count, [...this.game.state()]]);
    return true;
  }

  /** @param {number} input */
  take(input) {
    const { won, died } = this.game.step(input);
    this.count++;
    this.hasWon = won;
    if (!this.rules.probes.length) return;
    const due = this.schedule.after(died, this.game.state()[this.rules.has_key] !== 0);
    this.due = this.ended ? [] : due;
  }

  /** A key went down or up, or a part of a gamepad, which has its ``input`` with it. @param {KeyChange} change */
  key(change) {
    const { code, at, isDown } = change;
    const input = change.input ?? this.rules.keys[code];
    this.touched = at;
    this.note(at, "key", { what: isDown ? "down" : "up", code: change.input ?? code, key: change.name });
    if (!isDown) {
      this.keys.release(code);
      this.stale.delete(code);
      this.leaning.delete(code);
    } else if (change.isEscape) {
      this.isLeaving = true;
    } else if (change.isPause && !this.paused) {
      this.pause("key", at);
    } else if (!change.isIgnored && this.isFresh(code, at)) {
      this.resume(at);
      if (input) this.keys.press(code, input);
      if (change.leans) this.leaning.add(code);
    }
  }

  /** Whether it was just pressed, and not held since before the focus came back. @param {number} code @param {number} at */
  isFresh(code, at) {
    return !this.stale.has(code) && at > this.focused + this.rules.refocus_seconds * MICRO;
  }

  /** A gamepad came or went. Without it a participant can't play, so the game waits. @param {Connection} connection @param {number} at */
  connect(connection, at) {
    this.note(at, "gamepad", connection);
    if (connection.what === "disconnected") this.pause("gamepad", at);
  }

  /** The page lost the keyboard, or has it again. @param {boolean} isGained @param {number} at */
  focus(isGained, at) {
    this.note(at, "focus", { what: isGained ? "gained" : "lost" });
    if (isGained) this.focused = at;
    else {
      this.stale.clear();
      this.pause("focus", at);
    }
  }

  /** The game waits for a fresh press. @param {string} why @param {number} at */
  pause(why, at) {
    this.keys.releaseAll();
    if (this.paused) return;
    this.paused = true;
    this.why = why;
    this.note(at, why === "idle" ? "idle" : "pause", { what: "begin", why });
  }

  /** @param {number} at */
  resume(at) {
    if (!this.paused) return;
    this.paused = false;
    this.note(at, this.why === "idle" ? "idle" : "pause", { what: "end", why: this.why });
  }

  /** @param {number} at @param {string} event @param {object} fields */
  note(at, event, fields) {
    this.entries.push(["e", at, event, fields]);
  }
}
