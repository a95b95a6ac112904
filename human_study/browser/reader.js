// Shows a page until the participant leaves it. Logs nothing itself.

/** @typedef {import("./forms.js").Form} Form */
/** @typedef {import("./keyboard.js").Keyboard} Keyboard */
/** @typedef {import("./paper.js").Paper} Paper */
/** @typedef {import("./types.js").Description} Description */
/**
 * ``back``: the words for going back, if one can; ``progress``: number of the step, and of all; ``byKey``: only a key
 * continues, so that there is a keyboard; ``onIdle``: nobody touched anything for a while, or somebody did again.
 * @typedef {{back?: string, progress?: [number, number], byKey?: boolean, onIdle?: (isIdle: boolean) => void}} Manner
 */

const POLL = 250; // ms between two looks at whether somebody is there

export class Reader {
  /** @param {Paper} paper @param {Keyboard} keyboard @param {Description} description */
  constructor(paper, keyboard, description) {
    this.paper = paper;
    this.keyboard = keyboard;
    this.description = description;
    this.focused = -Infinity; // when the focus came back, ms
    this.touched = performance.now(); // when anything was last touched, ms
    addEventListener("focus", () => (this.focused = performance.now()));
    for (const name of ["keydown", "keyup", "pointerdown", "pointermove", "wheel"]) {
      addEventListener(name, () => (this.touched = performance.now()), { capture: true, passive: true });
    }
  }

  /** How the participant left the page: "done", "back" or "escape". @param {Form} form @param {Manner} [manner] */
  async show(form, manner = {}) {
    const gone = new AbortController();
    /** @type {Promise<string>} */
    const left = new Promise((resolve) => {
      form.leave = (how) => {
        if (how !== "back" || manner.back) resolve(how);
      };
    });
    const go = { text: form.hint, press: manner.byKey ? undefined : () => form.enter() };
    const back = { text: manner.back ?? "", press: () => form.leave("back") };
    const hints = [back, go].filter(({ text }) => text);
    /** @type {HTMLElement | null} */ (document.activeElement)?.blur();
    this.paper.show(form.content(), { hints, progress: manner.progress });
    form.shown(gone.signal);
    this.listen(form, gone.signal);
    this.watch(manner.onIdle, gone.signal);
    const how = await left;
    gone.abort();
    return how;
  }

  /**
   * Some keys are not meant for this page: keys held since the last page or the game, which the keyboard repeats; keys held
   * elsewhere when the focus came back; an Enter pressed before anybody could read.
   * @param {Form} form
   * @param {AbortSignal} signal
   */
  listen(form, signal) {
    const began = performance.now();
    const stale = new Set(this.keyboard.held);
    const { refocus_seconds, readable_seconds } = this.description;
    const isStale = (/** @type {KeyboardEvent} */ event) => {
      const now = performance.now();
      if (now < this.focused + 1000 * refocus_seconds) stale.add(event.code);
      if (stale.has(event.code)) return true;
      if (event.key === "Enter") stale.add(event.code);
      return event.key === "Enter" && now < began + 1000 * readable_seconds;
    };
    const down = (/** @type {KeyboardEvent} */ event) => {
      if (event.isComposing || event.ctrlKey || event.metaKey) return;
      if (isStale(event)) event.preventDefault();
      else if (event.key === "Escape" && !form.takesEscape) form.leave("escape");
      else form.key(event);
    };
    const up = (/** @type {KeyboardEvent} */ event) => {
      if (stale.delete(event.code)) event.preventDefault();
      form.keyUp(event);
    };
    addEventListener("keydown", down, { signal });
    addEventListener("keyup", up, { signal });
    const exit = () => document.fullscreenElement || form.takesEscape || form.leave("escape");
    document.addEventListener("fullscreenchange", exit, { signal }); // the browser took Escape for itself
  }

  /** @param {((isIdle: boolean) => void) | undefined} onIdle @param {AbortSignal} signal */
  watch(onIdle, signal) {
    let wasIdle = false;
    const timer = setInterval(() => {
      const isIdle = performance.now() > this.touched + 1000 * this.description.idle_seconds;
      if (isIdle !== wasIdle) onIdle?.(isIdle);
      wasIdle = isIdle;
    }, POLL);
    signal.addEventListener("abort", () => clearInterval(timer));
  }
}
