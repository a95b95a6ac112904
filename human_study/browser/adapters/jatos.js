// Appends to the result of the JATOS component that the page runs in, through JATOS's own queue, which tries again.

/** @typedef {import("../types.js").Adapter} Adapter */

const EVERY = 5000; // ms
const { jatos } = /** @type {any} */ (globalThis);

/** @returns {Adapter} */
export const adapter = () => ({
  every: EVERY,
  isFile: false,

  async ready() {
    if (!jatos) throw new Error("jatos.js is missing: expected this page to be opened by JATOS");
    await new Promise((resolve) => jatos.onLoad(resolve));
  },

  query() {
    return jatos.urlQueryParameters ?? {};
  },

  async send(_name, text) {
    await settled(jatos.appendResultData(text));
  },

  async finish() {
    await settled(jatos.endStudyWithoutRedirect(true));
  },

  async withdraw() {
    await settled(jatos.abortStudyWithoutRedirect("withdrawn")); // deletes the run's results
  },
});

/** JATOS rejects with texts. @param {PromiseLike<any>} promise */
async function settled(promise) {
  try {
    await promise;
  } catch (error) {
    throw new Error(`JATOS: ${error}`);
  }
}
