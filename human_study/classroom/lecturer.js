// The page on the wall: the address, how many play, the lines, and the reveal.

import { element } from "../browser/paper.js";
import { chart, shown, SIGNS } from "./chart.js";

/** @typedef {import("./chart.js").Arm} Arm */
/** @typedef {import("./chart.js").Overview} Overview */

const EVERY = 1000; // ms between two looks
const PATIENCE = 5000; // ms that an answer may take
const MEASURES = {
  share: "How much of the shortest way to the end they have covered",
  states: "At how many different places they have been",
};
const EXPLAINED = `Each letter is one version of the same game. A line is the mean of its players, by the time that they have \
played; whoever is done keeps what they reached. A class is a demonstration: lines of so few people differ by chance, too.`;

/** @param {string} id */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
const sure = /** @type {HTMLDialogElement} */ (byId("sure"));
/** @type {Overview | null} */
let now = null;

/** @param {string} what @param {string} method */
async function ask(what, method) {
  const response = await fetch(`lecturer/${what}`, { method, signal: AbortSignal.timeout(PATIENCE) });
  if (response.status === 401) location.reload(); // the server began anew: it asks for its token
  if (!response.ok) throw new Error(`status ${response.status}`);
  return response.json();
}

async function look() {
  try {
    const before = now;
    now = /** @type {Overview} */ (await ask("now", "GET"));
    byId("trouble").hidden = true;
    if (!before?.playing && now.playing && !before?.revealed) invite(false); // somebody plays: there is something to see
    show(now);
  } catch {
    byId("trouble").textContent = "No answer from the class";
    byId("trouble").hidden = false;
  }
  setTimeout(look, EVERY);
}

/** @param {Overview} now */
function show(now) {
  const { joined, playing, won } = now;
  byId("counts").textContent = `${joined} joined · ${playing} playing · ${won} won`;
  byId("measure").textContent = MEASURES[now.measure];
  byId("note").textContent = now.note ?? EXPLAINED;
  byId("missing").textContent = missing(now);
  document.body.classList.toggle("revealed", now.revealed);
  /** @type {HTMLButtonElement} */ (byId("reveal")).disabled = now.revealed;
  draw();
  table(now);
  cards(now);
}

function draw() {
  const place = byId("chart");
  const { clientWidth: width, clientHeight: height } = place;
  if (!now || !width || !height) return;
  const em = parseFloat(getComputedStyle(place).fontSize);
  place.replaceChildren(chart(now, { width, height, em }));
}

/** Which versions have no line, and why. @param {Overview} now */
function missing({ arms, least, revealed }) {
  const small = arms.filter(({ curve }) => !curve.length).map(({ letter, title }) => title ?? letter);
  if (!small.length) return "";
  const all = small.length === arms.length ? "No version" : "";
  const names = small.length > 1 ? `${small.slice(0, -1).join(", ")} and ${small.at(-1)}` : small[0];
  const why = `A line needs at least ${least} players, so that nobody's own progress can be seen.`;
  if (all) return `${all} has ${least} players yet. ${why}`;
  return `${names} ${small.length > 1 ? "have" : "has"} fewer than ${least} players${revealed ? "" : " so far"}. ${why}`;
}

/** @param {Overview} now */
function table(now) {
  const heads = ["version", "players", "reached", "won"];
  byId("heads").replaceChildren(...heads.map((head) => element("th", { scope: "col" }, head)));
  byId("rows").replaceChildren(
    ...now.arms.map((arm, at) => {
      const cells = [String(arm.players), reached(arm, now), arm.won === null ? "–" : String(arm.won)];
      return element("tr", {}, named("th", arm, at), ...cells.map((text) => element("td", {}, text)));
    }),
  );
}

/** After the reveal: what each version looks like, what it masks, and how people fared. @param {Overview} now */
function cards(now) {
  const places = byId("cards");
  if (places.childElementCount || !now.revealed) return;
  places.append(
    ...now.arms.map((arm, at) => {
      const won = arm.won === null ? `${arm.players} players` : `${arm.won} of ${arm.players} won`;
      const here = arm.curve.length ? `This class: ${reached(arm, now)}, ${won}` : `This class: ${won}, no line`;
      return element("article", {},
        element("img", { src: arm.picture, alt: "The game in this version, as it begins" }),
        element("div", {}, named("h3", arm, at), ...[arm.masks ?? "", here, `Published: ${arm.published}`].map((line) => element("p", {}, line))),
      );
    }),
  );
}

/** @param {Arm} arm @param {Overview} now */
const reached = ({ curve }, now) => (curve.length ? shown(curve[curve.length - 1], now) : "–");

/** The version with its sign, in its colour. @param {"th" | "h3"} tag @param {Arm} arm @param {number} at */
function named(tag, arm, at) {
  const name = element(tag, tag === "th" ? { scope: "row" } : {}, `${SIGNS[at]} ${arm.title ?? arm.letter}`);
  name.style.color = `var(--${at})`;
  return name;
}

/** Shows the address large, or the lines. @param {boolean} isInviting */
function invite(isInviting) {
  document.body.classList.toggle("inviting", isInviting);
  byId("invite").setAttribute("aria-pressed", String(isInviting));
  draw();
}

function changeLight() {
  const { dataset } = document.documentElement;
  const isDark = dataset.light ? dataset.light === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  dataset.light = isDark ? "light" : "dark";
}

async function reveal() {
  sure.close();
  await ask("reveal", "POST").catch(() => {}); // the next look says whether it was revealed
  invite(false);
}

const COMMANDS = {
  l: () => invite(!document.body.classList.contains("inviting")),
  t: changeLight,
  r: () => now?.revealed || sure.open || sure.showModal(),
};
byId("invite").onclick = COMMANDS.l;
byId("light").onclick = COMMANDS.t;
byId("reveal").onclick = COMMANDS.r;
byId("not_yet").onclick = () => sure.close();
byId("now").onclick = reveal;
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || sure.open) return;
  COMMANDS[/** @type {"l" | "t" | "r"} */ (event.key.toLowerCase())]?.();
});
addEventListener("resize", draw);
look();
