// The study's games as trials of a jsPsych timeline, versions 7 and 8: the plugin, which knows no rule of a game.

import { Clock } from "./clock.js";
import { about, isModern, measured, preferred } from "./device.js";
import { Entries } from "./entries.js";
import { Game } from "./game.js";
import { Controls, Keyboard } from "./keyboard.js";
import { unpacked } from "./packing.js";
import { element, Paper } from "./paper.js";
import { drawn, newCode, Participation } from "./participation.js";
import { play, practise } from "./plays.js";
import { Reader } from "./reader.js";
import { Sitting } from "./sitting.js";
import { check } from "./wishes.js";

/** @typedef {import("./types.js").Description} Description */
/** @typedef {import("./types.js").Host} Host */
/** @typedef {import("./wishes.js").Wishes} Wishes */
/** What a build holds; engine, worker and games as gzip in base64. @typedef {{description: Description, host: Host, engine: string, worker: string, style: string, page: string, version: string}} Parts */

const POLL = 100; // ms between two looks at whether the trial is still on the page
const TYPES = { BOOL: 0, STRING: 1, INT: 2, FLOAT: 3, OBJECT: 12 }; // jsPsych's, where its own are not at hand
const ENDED = /** @type {Record<string, string>} */ ({ leave: "left", stop: "stopped" });

/** The stage that all trials of a page share; hidden from the page's own style and scripts. */
class Stage {
  /** @param {Parts} parts @param {ArrayBuffer} engine @param {string} worker @param {Keyboard} keyboard */
  constructor({ description, style, page }, engine, worker, keyboard) {
    this.host = element("div", { className: "priorlab" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(style);
    const root = this.host.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet];
    this.page = element("div", { className: "page", innerHTML: page });
    root.append(this.page);
    this.keyboard = keyboard;
    this.paper = new Paper(this.page, this.host);
    this.reader = new Reader(this.paper, keyboard, description);
    this.game = new Game(worker, engine, description, keyboard, this.page);
  }

  /** @param {Parts} parts @param {Keyboard} keyboard */
  static async open(parts, keyboard) {
    const [engine, worker] = await Promise.all([unpacked(parts.engine), unpacked(parts.worker)]);
    return new Stage(parts, await engine.arrayBuffer(), await worker.text(), keyboard);
  }

  /** @param {HTMLElement} place */
  show(place) {
    this.paper.wait();
    place.append(this.host);
  }
}

/** One trial, in which somebody plays or practises. @extends {Sitting<Entries>} */
class Trial extends Sitting {
  /** @param {Parts} parts @param {Participation} here @param {Entries} journal @param {Stage} stage @param {Wishes} wishes */
  constructor({ description, host }, here, journal, stage, { keys, seconds }) {
    const { id, language, games } = here.opening;
    const admission = { token: "", code: id, language, games: games.map((name) => host.games[name]) };
    super(description, description.languages[language], admission, journal, stage);
    Object.assign(stage.page, { lang: language, dir: this.language.direction });
    stage.paper.label(this.language);
    if (keys) this.controls = Controls.of(keys);
    if (seconds !== null) this.limit = Math.max(Math.round(seconds * description.rate), 1);
    this.isGone = false; // whether something else ended the trial, such as jsPsych.abortExperiment()
  }

  /** @param {number} number */
  async file(number) {
    return (await unpacked(this.admission.games[number])).arrayBuffer();
  }

  /** @param {import("./types.js").Page} page @param {any} [former] */
  form(page, former) {
    this.shown = super.form(page, former);
    return this.shown;
  }

  /** @param {number} [number] */
  async askToStop(number) {
    return this.isGone ? "stop" : super.askToStop(number);
  }

  /** Ends the game once its place is no longer on the page. @param {HTMLElement} place @param {AbortSignal} signal */
  watch(place, signal) {
    const look = () => {
      if (place.isConnected) return;
      this.isGone = true;
      if (this.tools.game.isPlaying) this.tools.game.leave();
      else this.shown?.leave("escape");
    };
    const timer = setInterval(look, POLL);
    signal.addEventListener("abort", () => clearInterval(timer));
  }

  /** Returns how it ended. @param {HTMLElement} place @param {number | null} number  of the play; null for practice */
  async run(place, number) {
    const over = new AbortController();
    this.listen(over.signal);
    this.watch(place, over.signal);
    this.note("controls", { ...this.controls.about(this.tools.keyboard), gamepads: 0 });
    const failed = new Promise((_, reject) => (this.journal.onFailure = reject));
    const played = number === null ? practise(this, this.language.pages.practice) : play(this, number, undefined);
    const how = await Promise.race([played, failed]).finally(() => over.abort());
    return ENDED[how] ?? how;
  }
}

/**
 * The plugin's class, which a timeline names as the type of its trials.
 * @param {Parts} parts
 */
export function plugin(parts) {
  const { description, host } = parts;
  const keyboard = new Keyboard(description); // from the beginning: it knows which keys are held when a game begins
  const types = /** @type {any} */ (globalThis).jsPsychModule?.ParameterType ?? TYPES;
  /** @type {WeakMap<object, Participation>} */
  const participations = new WeakMap(); // by jsPsych's instance
  /** @type {Promise<Stage> | undefined} */
  let stage;
  /** @type {Promise<any>} */
  let underway = Promise.resolve(); // the last trial: one that something else ended may still be ending

  return class {
    static info = {
      name: "priorlab",
      version: parts.version,
      parameters: {
        /** The participant's games in the order of play, one of ``arms``; empty: one that is drawn. The first trial decides. */
        games: { type: types.STRING, array: true, default: [] },
        /** Draws the games; null: Math.random does, which jsPsych.randomization.setSeed seeds. */
        seed: { type: types.INT, default: null },
        /** Of play, without pauses, after which the game ends; null: the study's minutes. */
        seconds: { type: types.FLOAT, default: null },
        /** What keys do: left, right, jump, up or down by KeyboardEvent.code; null: the study's keys. */
        keys: { type: types.OBJECT, default: null },
        /** Whether this is the study's practice, and no play. */
        practice: { type: types.BOOL, default: false },
        /** A code such as "en", of a language that the study has; "": the browser's, if it has it. The first trial decides. */
        language: { type: types.STRING, default: "" },
      },
      data: {
        /** The participant's, which names the log. */
        code: { type: types.STRING },
        /** The number of the play, from 0; null for practice. */
        play: { type: types.INT },
        /** The game's name in this build; null for practice. */
        game: { type: types.STRING },
        /** win, limit, left (for the next game) or stopped. */
        ended: { type: types.STRING },
        /** How many inputs there were, 30 a second. */
        inputs: { type: types.INT },
        /** From the trial's beginning to its end, with pauses. */
        wall_seconds: { type: types.FLOAT },
        /** Everything that happened, as priorlab import reads it. */
        record: { type: types.OBJECT },
      },
    };

    /** The orders of games that participants can get, by the games' names. */
    static arms = host.arms;

    /** @param {any} jsPsych */
    constructor(jsPsych) {
      this.jsPsych = jsPsych;
    }

    /** @param {HTMLElement} display @param {Wishes} wishes @param {() => void} onLoad */
    async trial(display, wishes, onLoad) {
      const place = element("div"); // whatever else ends the trial removes it
      display.replaceChildren(place);
      underway = underway.catch(() => {}).then(() => this.play(place, wishes, onLoad));
      try {
        const data = await underway;
        if (data) this.jsPsych.finishTrial(data);
      } catch (error) {
        if (place.isConnected) display.textContent = /** @type {Error} */ (error).message; // instead of the game
        throw error;
      }
    }

    /** For jsPsych.simulate(), in which nobody plays. @param {Wishes} wishes @param {string} _mode @param {any} options @param {() => void} onLoad */
    simulate(wishes, _mode, options, onLoad) {
      check(wishes, description, host.arms);
      onLoad();
      const nothing = { code: null, play: null, game: null, ended: "limit", inputs: 0, wall_seconds: 0, record: null };
      this.jsPsych.finishTrial({ ...nothing, ...options?.data });
    }

    /** What the trial records; null if something else ended it. @param {HTMLElement} place @param {Wishes} wishes @param {() => void} onLoad */
    async play(place, wishes, onLoad) {
      if (!isModern()) throw new Error("priorlab: this browser is too old: expected one with CompressionStream");
      check(wishes, description, host.arms);
      stage ??= Stage.open(parts, keyboard);
      const tools = await stage;
      tools.show(place);
      const here = await this.participation(wishes);
      const number = wishes.practice ? null : here.plays;
      if (here.isFinished) throw new Error("priorlab: all games were played: expected no trial after the last one");
      const journal = new Entries(new Clock(here.opening.began));
      journal.last = here.last;
      if (here.isResumed) journal.add(["r", journal.clock.now()]);
      if (here.isResumed) journal.note("screen", about());
      const trial = new Trial(parts, here, journal, tools, wishes);
      onLoad();
      const began = performance.now();
      const ended = await trial.run(place, number);
      place.remove();
      if (trial.isGone) return null;
      if (number === here.games.length - 1) journal.add(["f", journal.clock.now()]);
      here.isResumed = false;
      return {
        code: here.opening.id, play: number, game: number === null ? null : here.games[number], ended,
        inputs: tools.game.count, wall_seconds: Math.round(performance.now() - began) / 1000,
        record: await here.record(journal.entries, number !== null),
      };
    }

    /** What the trials before this one left, or a new beginning. @param {Wishes} wishes @returns {Promise<Participation>} */
    async participation({ games, seed, language }) {
      const { build } = host;
      const before = participations.get(this.jsPsych) ?? (await Participation.resumed(this.jsPsych.data.get().values(), build));
      const here = before ?? new Participation({
        build, id: newCode(host), language: language || preferred(Object.keys(description.languages)), began: Date.now(),
        seconds: 0, games: games.length ? games : host.arms[drawn(host.arms.length, seed)],
        about: { ...about(), ...(await measured(description.rate)), jspsych: this.jsPsych.version() },
      });
      participations.set(this.jsPsych, here);
      return here;
    }
  };
}
