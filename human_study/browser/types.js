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
 *   keys: Record<string, string>, gamepads: import("./gamepads.js").Reading | null, language: Page, state: {has_key: number},
 *   probes: import("./schedule.js").Probe[], languages: Record<string, Language>}} Description
 */

/**
 * What a server (or another adapter) answers at consent: the participant's code and games, each in base64.
 * @typedef {{token: string, code: string, language: string, games: string[],
 *   next?: number, ended?: boolean, began?: number}} Admission
 */

/**
 * What follows from a round of instructions and checks: another one comes, or the session ends.
 * @typedef {{again: boolean, ends: boolean}} Verdict
 */

/**
 * Where a session's chunks go. Each method rejects with a ``Refusal`` if the other side says no, and with any other
 * error if it could not be reached.
 * @typedef {object} Uploads
 * @property {boolean} isFile  whether the participant saves the record as a file instead
 * @property {boolean} [judges]  whether the other side judges answers: then the description does not say which are right
 * @property {(question: string, answer: any) => Promise<boolean>} [isEligible]  before a session
 * @property {(token: string) => Promise<Verdict>} [verdict]  on the round of checks for which the journal, which was sent,
 *   has the event judged
 * @property {(wishes: object) => Promise<Admission>} begin  consent was given
 * @property {(token: string) => Promise<Admission>} session  of before a reload
 * @property {(token: string) => Promise<string[]>} chunks  everything that a session sent so far, by number
 * @property {(token: string, chunks: string[], isUrgent: boolean) => Promise<number>} send  of the chunks that are left;
 *   returns the number of the next one it expects: the first one's if it waits for more, unless that is urgent
 * @property {(token: string, chunks: string[]) => void} hurry  the page may be gone at once
 * @property {(token: string, count: number) => Promise<Ending>} finish
 * @property {(token: string) => Promise<void>} leave  everything was sent, and the last page read
 * @property {(token: string) => Promise<void>} withdraw
 * @property {(token: string) => string} opening  the first line of a record that is saved as a file; or ""
 * @property {(about: object) => Promise<Ending>} refused
 */

/**
 * What a page knows of itself that no server answers for: which games there are, as files next to it, and which of them a
 * participant plays, in order, in each arm of the study. No name tells what it stands for.
 * @typedef {{build: string, alphabet: string, length: number, arms: string[][], games: Record<string, string>,
 *   panel: string[], endings: Record<string, Ending>, settings: any}} Host
 * @typedef {{build: string, id: string, language: string, began: number, seconds: number, about: object, games: string[],
 *   panel?: Record<string, string>}} Opening
 */

/**
 * How a page's texts reach the researcher. Methods reject if the text may not have arrived; the error has ``isFinal`` if it
 * would be the same again, and ``isFull`` if that is because there are enough participants.
 * @typedef {object} Adapter
 * @property {number} every  ms between two uploads while something happens; Infinity: only at the ends of plays
 * @property {boolean} isFile  whether the participant saves the record as a file instead
 * @property {() => Promise<void>} [ready]  resolves once there is somewhere to send to
 * @property {() => Record<string, string>} [query]  what the study's address contained
 * @property {(name: string, text: string) => Promise<void>} send  the same text under the same name may come again
 * @property {() => Promise<void>} finish  everything was sent, and the participant goes
 * @property {(name: string, text: string) => Promise<void>} withdraw  deletes everything, or sends that it must be deleted
 */

/**
 * What is left to do at the end: to show a panel's code, or to go to a panel's page.
 * @typedef {{code?: string, redirect?: string}} Ending
 */

/**
 * Entries of the journal, as the importer reads them. Times are whole microseconds since consent; a play has its limit
 * of inputs if that is not the study's.
 * @typedef {["e", number, string, object] | ["p", number, number, number?] | ["s", number, number, number, number | null]
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
