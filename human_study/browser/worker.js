// The worker: it takes inputs when they are due, whatever the page is busy with, and sends every picture to the page.

import { Engine } from "../../envs/browser/engine.js";
import { Clock } from "./clock.js";
import { Playing } from "./playing.js";

/** @typedef {import("./gamepads.js").Connection} Connection */
/** @typedef {import("./playing.js").KeyChange} KeyChange */
/** @typedef {import("./playing.js").Rules} Rules */

/**
 * From the page.
 * @typedef {{engine: ArrayBuffer} | {open: ArrayBuffer, rules: Rules, inputs: number[], began: number}
 *   | {begin: number[], wait: string} | {key: KeyChange} | {focus: boolean, at: number}
 *   | {connection: Connection, at: number}
 *   | {note: string, fields: object, at: number} | {stop: true}} Order
 */

const SPIN = 1500; // microseconds before a step that are waited through: a timer may come this late

/** @type {Promise<any>} */
let engine;
/** @type {Playing} */
let playing;
/** @type {Clock} */
let clock;
let timer = 0;

/** @param {MessageEvent<Order>} event */
onmessage = async ({ data }) => {
  if ("engine" in data) engine = Engine.from(data.engine);
  else if ("open" in data) await open(data);
  else if ("begin" in data) begin(data.begin, data.wait);
  else if ("key" in data) happened(() => playing.key(data.key));
  else if ("focus" in data) happened(() => playing.focus(data.focus, data.at));
  else if ("connection" in data) happened(() => playing.connect(data.connection, data.at));
  else if ("note" in data) happened(() => playing.note(data.at, data.note, data.fields));
  else clearTimeout(timer);
};

/** Opens a game; it stands where the inputs led. @param {{open: ArrayBuffer, rules: Rules, inputs: number[], began: number}} order */
async function open({ open, rules, inputs, began }) {
  const loaded = await engine;
  clock = new Clock(began);
  playing = new Playing(loaded.open(open), loaded.keys(), rules, inputs);
  const { width, height } = playing.game;
  tell({ opened: { width, height, ended: playing.ended, due: playing.due } });
}

/** @param {number[]} held @param {string} wait */
function begin(held, wait) {
  playing.begin(clock.now(), held, wait);
  tell({});
  awaitStep(playing.nextDue(clock.now()));
}

/** Sets the timer for a step. @param {number} due */
function awaitStep(due) {
  clearTimeout(timer);
  const left = due - SPIN / 2 - clock.now();
  timer = setTimeout(() => step(due), Math.max(left / 1000, 0));
}

/** @param {number} due */
function step(due) {
  let now = clock.now();
  if (now < due - SPIN) return awaitStep(due);
  while (now < due) now = clock.now();
  const hasStepped = playing.step(due, now);
  if (playing.isLeaving) playing.pause("stop", now);
  else if (playing.due.length) playing.pause("probe", now);
  if (hasStepped || playing.entries.length || playing.isLeaving) tell({ isStep: hasStepped });
  if (!playing.isLeaving && !playing.due.length && !playing.ended) awaitStep(playing.nextDue(clock.now()));
}

/** Something that no step must wait for. @param {() => void} change */
function happened(change) {
  const wasPaused = playing.paused;
  change();
  if (playing.paused || wasPaused || playing.ended) tell({});
}

/** Sends the page what happened, and the picture as it is now. @param {object} news */
function tell(news) {
  const { entries, paused, isLeaving, ended, due, count } = playing;
  playing.entries = [];
  const picture = playing.game.picture().slice().buffer;
  postMessage({ ...news, entries, paused, isLeaving, ended, due, count, picture }, { transfer: [picture] });
}
