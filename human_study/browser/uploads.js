// Where a session goes: to the study's own server.

/** @typedef {import("./types.js").Uploads} Uploads */
/** @typedef {import("./types.js").Admission} Admission */

const HURRIED = 60_000; // bytes that a browser still sends for a page that is gone
const PATIENCE = 10_000; // ms that an answer may take

/** The other side was reached, and says no. */
export class Refusal extends Error {
  /** @param {number} status @param {Record<string, any>} answer */
  constructor(status, answer) {
    super(answer.error ?? `status ${status}`);
    this.status = status;
    this.answer = answer;
  }
}

/** The server of `priorlab serve`, from which the page came. @implements {Uploads} */
export class ServerUploads {
  isFile = false;
  judges = true;

  /** @param {string} question @param {any} answer */
  async isEligible(question, answer) {
    return (await ask("judge", "", { question, answer })).eligible;
  }

  /** @param {string} token */
  verdict(token) {
    return ask("judge", token, {});
  }

  /** @param {object} wishes @returns {Promise<Admission>} */
  begin(wishes) {
    return ask("begin", "", wishes);
  }

  /** @param {string} token */
  session(token) {
    return ask("session", token);
  }

  /** @param {string} token @returns {Promise<string[]>} */
  async chunks(token) {
    return (await ask("chunks", token)).chunks;
  }

  /** @param {string} token @param {string[]} chunks */
  async send(token, chunks) {
    return (await ask("chunk", token, chunks[0])).next;
  }

  /** @param {string} token @param {string[]} chunks */
  hurry(token, chunks) {
    let room = HURRIED;
    for (const body of chunks) {
      room -= body.length;
      if (room < 0) return; // what is left follows when somebody returns to the page
      fetch("api/chunk", { method: "POST", body, headers: headers(token), keepalive: true }).catch(() => {});
    }
  }

  /** @param {string} token @param {number} count */
  finish(token, count) {
    return ask("finish", token, { chunks: count });
  }

  async leave() {}

  /** @param {string} token */
  async withdraw(token) {
    await ask("withdraw", token, {});
  }

  opening() {
    return ""; // the server has it
  }

  /** @param {object} about */
  refused(about) {
    return ask("refused", "", about);
  }
}

/**
 * GET without a body, else POST. Rejects with a Refusal unless the answer is good.
 * @param {string} what
 * @param {string} token
 * @param {object | string} [body]  as JSON, or JSON itself
 * @returns {Promise<any>}
 */
async function ask(what, token, body) {
  const text = typeof body === "object" ? JSON.stringify(body) : body;
  const asked = { method: text === undefined ? "GET" : "POST", body: text, headers: headers(token) };
  const response = await fetch(`api/${what}`, { ...asked, signal: AbortSignal.timeout(PATIENCE) });
  if (response.status >= 500) throw new Error(`the server has trouble: ${response.status}`);
  const answer = await response.text(); // rejects if the connection was cut in the middle of it
  if (!response.ok) throw new Refusal(response.status, read(answer));
  return JSON.parse(answer);
}

/** The entries of a refusal; none if something else than our server refuses. @param {string} text */
function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

/** @param {string} token @returns {Record<string, string>} */
function headers(token) {
  const type = { "Content-Type": "application/json" };
  return token ? { ...type, Authorization: `Bearer ${token}` } : type;
}
