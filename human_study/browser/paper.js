// The paper: what a page shows, one block below the other, with hints and progress below it.

/** @typedef {import("./types.js").Block} Block */
/** @typedef {{hints: {text: string, press?: () => void}[], progress?: [number, number]}} Foot */

const SHRINKS = [1, 0.92, 0.85, 0.78, 0.7]; // of the letters of a crowded page; if that is not enough, it scrolls
const READ = 0.6; // share of what is visible by which a page scrolls at once

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, any>} [properties]
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role") made.setAttribute(name, String(value));
    else /** @type {any} */ (made)[name] = value;
  }
  made.append(...children);
  return made;
}

/** @param {Block} block @param {string} code  of the participant @param {(input: string) => string[]} capsOf */
export function drawn(block, code, capsOf) {
  const text = block.text.replace("{id}", code);
  switch (block.type) {
    case "title":
      return element("h1", {}, text);
    case "dim":
      return element("p", { className: "dim" }, text);
    case "code":
      return element("p", { className: "code" }, text);
    case "plate":
      return element("img", { className: "plate", alt: "", src: block.picture });
    case "caps":
      return rows((block.rows ?? []).map(([input, name]) => ({ name, caps: capsOf(input), isLit: false })));
    default:
      return element("p", {}, text);
  }
}

/** What keys do: a line for each name. @param {{name: string, caps: string[], isLit: boolean}[]} lines */
export function rows(lines) {
  const cells = lines.flatMap(({ name, caps, isLit }) => [
    element("span", {}, name),
    element("span", { className: isLit ? "caps lit" : "caps" }, ...caps.map((cap) => element("kbd", {}, cap))),
  ]);
  return element("div", { className: "rows" }, ...cells);
}

export class Paper {
  /** @param {HTMLElement} [page]  that holds its parts @param {HTMLElement} [styled]  whose style its letters follow */
  constructor(page = document.body, styled = document.documentElement) {
    const byId = (/** @type {string} */ id) => /** @type {HTMLElement} */ (page.querySelector(`#${id}`));
    this.styled = styled;
    this.sheet = byId("paper");
    this.foot = byId("foot");
    this.more = byId("more");
    this.connection = byId("connection");
    this.sheet.addEventListener("scroll", () => this.mark(), { passive: true });
    this.more.addEventListener("click", () => this.scroll(1));
    addEventListener("resize", () => this.fit());
  }

  /** @param {{name: string, direction: string, words: Record<string, string>}} language @param {string} code */
  speak(language, code) {
    document.documentElement.lang = code;
    document.documentElement.dir = language.direction;
    document.title = language.words["consent.title"];
    this.connection.textContent = language.words["browser.offline"];
    this.label(language);
  }

  /** What stays on every page. @param {{words: Record<string, string>}} language */
  label({ words }) {
    this.more.textContent = words["page.more"];
  }

  /** @param {Node[]} content @param {Foot} foot */
  show(content, foot) {
    this.sheet.replaceChildren(element("div", { className: "column" }, ...content));
    this.sheet.scrollTop = 0;
    const hints = foot.hints.map(({ text, press }) =>
      press
        ? element("button", { type: "button", className: "hint", onclick: press, tabIndex: -1 }, text)
        : element("span", { className: "hint" }, text),
    );
    this.foot.replaceChildren(element("div", { className: "hints" }, ...hints), ...dots(foot.progress));
    this.fit();
  }

  /** Something changed within the page. */
  fit() {
    const { style } = this.styled;
    for (const shrink of SHRINKS) {
      style.setProperty("--shrink", String(shrink));
      if (this.sheet.scrollHeight <= this.sheet.clientHeight) break;
      if (shrink === SHRINKS.at(-1)) style.setProperty("--shrink", "0.85"); // it scrolls: so it may as well be large
    }
    this.mark();
  }

  /** Says whether there is more below. */
  mark() {
    const { scrollTop, scrollHeight, clientHeight } = this.sheet;
    this.more.hidden = scrollTop + clientHeight > scrollHeight - 4;
  }

  /** Up (-1) or down (1), by as much as one reads at once, or less. @param {number} way @param {number} [most]  px */
  scroll(way, most = Infinity) {
    this.sheet.scrollTop += way * Math.min(READ * this.sheet.clientHeight, most);
    this.mark();
  }

  /** Scrolls towards an element; returns whether it is visible then. @param {Element} target */
  reach(target) {
    const [box, view] = [target.getBoundingClientRect(), this.sheet.getBoundingClientRect()];
    const margin = box.height / 2;
    if (box.bottom + margin > view.bottom) this.scroll(1, box.bottom + margin - view.bottom);
    else if (box.top - margin < view.top) this.scroll(-1, view.top - box.top + margin);
    const now = target.getBoundingClientRect();
    return now.top >= view.top - 1 && now.bottom <= view.bottom + 1;
  }

  /** A wheel that turns: nothing to read for a moment. */
  wait() {
    this.show([element("div", { className: "wait" })], { hints: [] });
  }

  /** @param {boolean} isOffline */
  connect(isOffline) {
    this.connection.hidden = !isOffline;
  }
}

/** One for each step. @param {[number, number]} [progress]  number of the step, and of all */
function dots(progress) {
  if (!progress) return [];
  const [past, count] = progress;
  const line = element("div", { className: "dots", role: "img", "aria-label": `${past + 1} / ${count}` });
  line.style.setProperty("--count", String(count));
  for (let number = 0; number < count; number++) line.append(element("i", { className: number <= past ? "past" : "" }));
  return [line];
}
