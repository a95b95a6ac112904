// What stays in the browser until a session is over: its token, and the journal's chunks, each on disk before it counts.

/**
 * ``given``: the answers that decided who can take part, by question, until the session holds them.
 * ``taken``: when the session came here from another browser, ms since 1970.
 * @typedef {{client: string, token?: string, code?: string, language?: string, began?: number, given?: object, taken?: number}} Kept
 */

const STRICT = /** @type {IDBTransactionOptions} */ ({ durability: "strict" });

/** Somebody else wrote that chunk: the session is open in another window. */
export class WrittenTwice extends Error {}

export class Store {
  /** @param {IDBDatabase} database */
  constructor(database) {
    this.database = database;
  }

  /** One store for each study of an address. Rejects where a browser keeps nothing. @param {string} name */
  static async open(name) {
    const request = indexedDB.open(`priorlab ${name}`, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("session");
      request.result.createObjectStore("chunks");
    };
    return new Store(await answered(request));
  }

  /** The session that was begun here, or null. @returns {Promise<Kept | null>} */
  async session() {
    return (await answered(this.database.transaction("session").objectStore("session").get(0))) ?? null;
  }

  /** @param {Kept} session */
  keep(session) {
    const change = this.database.transaction("session", "readwrite", STRICT);
    change.objectStore("session").put(session, 0);
    return completed(change);
  }

  /** How many chunks of a session have arrived where they go. @param {string} token @returns {Promise<number>} */
  async sent(token) {
    const sent = await answered(this.database.transaction("session").objectStore("session").get(1));
    return sent?.token === token ? sent.count : 0;
  }

  /** @param {string} token @param {number} count */
  keepSent(token, count) {
    const change = this.database.transaction("session", "readwrite");
    change.objectStore("session").put({ token, count }, 1);
    return completed(change);
  }

  /** The texts of all chunks, in order. @returns {Promise<string[]>} */
  chunks() {
    return answered(this.database.transaction("chunks").objectStore("chunks").getAll());
  }

  /** Puts a chunk on disk. Rejects with WrittenTwice if there is one of that number. @param {number} n @param {string} text */
  async add(n, text) {
    const change = this.database.transaction("chunks", "readwrite", STRICT);
    change.objectStore("chunks").add(text, n);
    await completed(change).catch((error) => {
      throw error?.name === "ConstraintError" ? new WrittenTwice() : error;
    });
  }

  /** Nothing of the session remains in the browser. */
  clear() {
    const change = this.database.transaction(["session", "chunks"], "readwrite", STRICT);
    change.objectStore("session").clear();
    change.objectStore("chunks").clear();
    return completed(change);
  }
}

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
function answered(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** @param {IDBTransaction} change @returns {Promise<void>} */
function completed(change) {
  return new Promise((resolve, reject) => {
    change.oncomplete = () => resolve();
    change.onabort = () => reject(change.error);
  });
}
