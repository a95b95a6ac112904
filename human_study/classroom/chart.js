// The lines of a class, drawn as SVG: how far each group came, by the time played.

/**
 * What the server says of a version. ``curve``: after 0, 1, ... seconds of play; empty for a group that is too small.
 * @typedef {{letter: string, players: number, won: number | null, curve: number[], title?: string, masks?: string,
 *   published?: string, picture?: string}} Arm
 * @typedef {{joined: number, playing: number, won: number, seconds: number, measure: "share" | "states", least: number,
 *   revealed: boolean, arms: Arm[], note?: string}} Overview
 */

export const SIGNS = ["●", "■", "▲", "◆", "▼", "★", "✚", "✖"]; // of the groups, in order
const DASHES = ["", "14 9", "3 9", "22 8 3 8", "8 6", "28 10", "3 7 12 7", "16 6 3 6"];
const TICK = 3.2; // em that a time below the axis takes
const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 * @param {...(Node | string)} children
 */
function svg(tag, attributes, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children);
  return made;
}

/** A value as the class reads it. @param {number} value @param {Overview} now */
export const shown = (value, now) => (now.measure === "share" ? `${Math.round(100 * value)} %` : String(Math.round(value)));

/** @param {number} seconds */
const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;

/**
 * @param {Overview} now
 * @param {{width: number, height: number, em: number}} room  px
 */
export function chart(now, { width, height, em }) {
  const names = now.arms.map((arm, at) => `${SIGNS[at]} ${arm.title ?? arm.letter}`);
  const besides = (/** @type {string[]} */ words) => (0.62 * Math.max(...words.map((word) => word.length)) + 1.2) * em;
  const ends = besides(names) < width / 3 ? names : SIGNS; // on a phone the signs must do
  const box = { left: 4.2 * em, right: width - besides(ends), top: 0.8 * em, bottom: height - 2.6 * em };
  const top = highest(now);
  const x = (/** @type {number} */ second) => box.left + ((box.right - box.left) * second) / now.seconds;
  const y = (/** @type {number} */ value) => box.bottom - ((box.bottom - box.top) * value) / top;
  const drawn = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": summary(now, names) });
  for (let part = 0; part <= 4; part++) {
    const at = y((part * top) / 4);
    drawn.append(
      svg("line", { class: "grid", x1: box.left, x2: box.right, y1: at, y2: at }),
      svg("text", { x: box.left - 0.5 * em, y: at + 0.35 * em, "text-anchor": "end", "font-size": em }, shown((part * top) / 4, now)),
    );
  }
  let gap = now.seconds <= 120 ? 15 : now.seconds <= 300 ? 30 : 60 * Math.ceil(now.seconds / 600);
  while ((now.seconds / gap) * TICK * em > box.right - box.left) gap *= 2;
  for (let second = 0; second <= now.seconds; second += gap) {
    drawn.append(svg("text", { x: x(second), y: box.bottom + 1.25 * em, "text-anchor": "middle", "font-size": em }, clock(second)));
  }
  drawn.append(svg("text", { x: (box.left + box.right) / 2, y: height - 0.25 * em, "text-anchor": "middle", "font-size": 0.85 * em }, "minutes played"));
  now.arms.forEach(({ curve }, at) => {
    if (!curve.length) return;
    const points = curve.map((value, second) => `${x(second).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
    const style = { class: "curve", stroke: `var(--${at})`, "stroke-dasharray": DASHES[at] || "none" };
    drawn.append(svg("polyline", { points, ...style }));
  });
  for (const { at, second, height } of labels(now, y, em)) {
    const name = svg("text", { class: "name", x: x(second) + 0.5 * em, y: height + 0.35 * em, "font-size": em }, ends[at]);
    name.style.fill = `var(--${at})`;
    drawn.append(name);
  }
  return drawn;
}

/** The upper end of the axis. @param {Overview} now */
function highest(now) {
  if (now.measure === "share") return 1;
  const most = Math.max(...now.arms.flatMap((arm) => arm.curve), 40);
  const unit = 10 ** Math.floor(Math.log10(most));
  return unit * ([1, 2, 4, 8, 10].find((times) => times * unit >= most) ?? 10);
}

/**
 * Where the names at the ends of the lines stand, so that no two lie on each other.
 * @param {Overview} now
 * @param {(value: number) => number} y
 * @param {number} em
 */
function labels(now, y, em) {
  const ends = now.arms
    .map(({ curve }, at) => ({ at, second: curve.length - 1, height: y(curve.at(-1) ?? 0) }))
    .filter(({ second }) => second >= 0)
    .sort((one, other) => one.height - other.height);
  for (let at = 1; at < ends.length; at++) {
    ends[at].height = Math.max(ends[at].height, ends[at - 1].height + 1.2 * em);
  }
  const excess = Math.max((ends.at(-1)?.height ?? 0) - y(0), 0);
  return ends.map((each) => ({ ...each, height: each.height - excess }));
}

/** For those who can't see the lines. @param {Overview} now @param {string[]} names */
const summary = (now, names) =>
  now.arms
    .map(({ curve, players }, at) => `${names[at]}: ${curve.length ? shown(curve[curve.length - 1], now) : `${players} players, no line`}`)
    .join("; ");
