// This computer: which language it speaks, and whether it can show the game, measured before anybody plays, and logged.

/** @typedef {{refresh_rate: number, draw_ms: number, redraw_ms: number}} Speed */

export const LEAST_ROOM = [800, 560]; // px of CSS: below, pages and games are too small to read
const FRAMES = 45; // that are timed
const SIDE = 320; // px of the pictures that are drawn, as large as those of most games
const SLOW_RATE = 2 / 3; // of the game's steps a second, that a screen must show at least

/** The participant's language, if it is one of these; else the first of them. @param {string[]} codes */
export const preferred = (codes) =>
  navigator.languages.map((each) => each.split("-")[0]).find((each) => codes.includes(each)) ?? codes[0];

/** Whether it is a phone or a tablet: it is touched, and has nothing that points finely. */
export const isTouched = () => matchMedia("(pointer: coarse)").matches && !matchMedia("(any-pointer: fine)").matches;

export const isTooSmall = () => innerWidth < LEAST_ROOM[0] || innerHeight < LEAST_ROOM[1];

/** Whether the browser has what the study needs; where pages are kept is tried by ``Store.open``. */
export const isModern = () =>
  [globalThis.WebAssembly, globalThis.Worker, globalThis.indexedDB, globalThis.CompressionStream, AbortSignal.timeout].every(
    Boolean,
  );

/**
 * Draws pictures that nobody sees while the screen shows another page, and measures how long that takes. A second try
 * counts if it is better: another program may have kept the computer busy.
 * @param {number} rate  steps per second of the game
 */
export async function measured(rate) {
  const first = await measuredOnce();
  if (!isTooSlow(first, rate)) return first;
  const second = await measuredOnce();
  return second.draw_ms + 1000 / second.refresh_rate < first.draw_ms + 1000 / first.refresh_rate ? second : first;
}

/** @param {Speed} speed @param {number} rate */
export const isTooSlow = (speed, rate) => speed.draw_ms > 1000 / rate || speed.refresh_rate < SLOW_RATE * rate;

/** @returns {Promise<Speed>} */
async function measuredOnce() {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIDE;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { alpha: false }));
  const picture = context.createImageData(SIDE, SIDE);
  /** @type {number[]} */
  const draws = []; // ms
  /** @type {number[]} */
  const gaps = []; // ms between two frames
  let last = await nextFrame();
  for (let number = 0; number < FRAMES; number++) {
    picture.data.fill(number);
    const began = performance.now();
    context.putImageData(picture, 0, 0);
    draws.push(performance.now() - began);
    const now = await nextFrame();
    gaps.push(now - last);
    last = now;
  }
  const refresh = Math.round(1000 / quantile(gaps, 0.5));
  return { refresh_rate: refresh, draw_ms: rounded(quantile(draws, 0.95)), redraw_ms: rounded(quantile(draws, 0.5)) };
}

/** @returns {Promise<number>} */
const nextFrame = () => new Promise((resolve) => requestAnimationFrame(resolve));

/** @param {number[]} values @param {number} share */
const quantile = (values, share) => [...values].sort((one, other) => one - other)[Math.floor(share * values.length)];

/** @param {number} value */
const rounded = (value) => Math.round(100 * value) / 100;

/** The computer and the window, for the log's header; coarse, so that it identifies nobody. */
export function about() {
  return {
    system: system(), display_driver: "browser", browser: browser(), screen: [screen.width, screen.height],
    window: [innerWidth, innerHeight], window_scale: devicePixelRatio,
  };
}

function system() {
  const names = ["Windows", "Mac", "Android", "CrOS", "Linux"];
  return names.find((name) => navigator.userAgent.includes(name)) ?? "unknown";
}

/** Its name and major version. */
function browser() {
  const names = ["Edg", "OPR", "Firefox", "Chrome", "Version"]; // Safari has its version after "Version"
  for (const name of names) {
    const found = navigator.userAgent.match(new RegExp(`${name}/(\\d+)`));
    if (found) return `${name === "Version" ? "Safari" : name} ${found[1]}`;
  }
  return "unknown";
}
