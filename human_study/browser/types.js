// What the modules hand to each other, for editors and type checkers; nothing in here runs.

/**
 * What the description says of a study, its pages and steps; Python writes it (protocol/described.py).
 * @typedef {{type: string, text: string, picture?: string, rows?: string[][]}} Block
 * @typedef {Record<string, any> & {kind: string, blocks: Block[], hint: string}} Page
 * @typedef {{to: number, checks: string[], rounds: number, when_failed: string}} Again
 * @typedef {{kind: string, page: string, log: string, play: number | null, back: boolean, after_stop: number[],
 *   again?: Again}} Step
 * @typedef {{name: string, direction: "ltr" | "rtl", words: Record<string, string>, pages: Record<string, Page>,
 *   eligibility: string[], steps: Step[]}} Language
 * @typedef {{name: string, limit: number, rate: number, plays: number, idle_seconds: number, refocus_seconds: number,
 *   readable_seconds: number, end_seconds: number, codes: Record<string, number>, reserved: string[],
 *   keys: Record<string, string>, language: Page, state: {has_key: number},
 *   probes: import("./schedule.js").Probe[], languages: Record<string, Language>}} Description
 */

/**
 * What a server (or another adapter) answers at consent: the participant's code and games, each in base64.
 * @typedef {{token: string, code: string, language: string, games: string[], steps?: Step[],
 *   keys?: Record<string, string>, next?: number, ended?: boolean, began?: number}} Admission
 */

/**
 * Where a session's chunks go. Each method rejects with a ``Refusal`` if the other side says no, and with any other
 * error if it could not be reached.
 * @typedef {object} Uploads
 * @property {(wishes: object) => Promise<Admission>} begin  consent was given
 * @property {(token: string) => Promise<Admission>} session  of before a reload
 * @property {(token: string) => Promise<string[]>} chunks  everything that a session sent so far, by number
 * @property {(token: string, chunk: string) => Promise<number>} send  returns the number of the next chunk it expects
 * @property {(token: string, chunks: string[]) => void} hurry  the page may be gone at once
 * @property {(token: string, count: number) => Promise<Ending>} finish
 * @property {(token: string) => Promise<void>} withdraw
 * @property {(about: object) => Promise<Ending>} refused
 */

/**
 * What is left to do at the end: to show a panel's code, to go to a panel's page, or to save the record as a file.
 * @typedef {{code?: string, redirect?: string, isFile?: boolean}} Ending
 */

/**
 * Entries of the journal, as the importer reads them. Times are whole microseconds since consent.
 * @typedef {["e", number, string, object] | ["p", number, number] | ["s", number, number, number, number | null]
 *   | ["h", number, number[]] | ["q", number, string] | ["r", number] | ["f", number]} Entry
 */

/**
 * The engine (envs/browser/engine.js): one game, and the rule that turns keys into inputs.
 * @typedef {{width: number, height: number, step(input: number): {won: boolean, died: boolean},
 *   picture(): Uint8ClampedArray, state(): Int32Array}} EngineGame
 * @typedef {{press(code: number, input: number): void, release(code: number): void, releaseAll(): void, held: boolean,
 *   take(): number}} EngineKeys
 */

export {};
