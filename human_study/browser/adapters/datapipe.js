// Uploads through DataPipe (pipe.jspsych.org) to the storage that a researcher connected, where each upload becomes a file.
// DataPipe changes: all that this knows of it is here.

const PATIENCE = 60_000; // ms that an answer may take: the file goes on to the storage first
const FINAL = [
  "EXPERIMENT_NOT_FOUND", "EXPERIMENT_FINALIZED", "DATA_COLLECTION_NOT_ACTIVE", "INVALID_OWNER", "INVALID_OSF_TOKEN",
  "INVALID_DATA", "SESSION_LIMIT_REACHED",
]; // errors that don't pass by themselves

/** @typedef {import("../types.js").Adapter} Adapter */

/** @param {{address: string, experiment: string}} settings @returns {Adapter} */
export const adapter = ({ address, experiment }) => ({
  every: Infinity, // each upload is a file: only at the beginning and the end of a play
  isFile: false,

  async send(name, text) {
    const response = await fetch(address, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "*/*" },
      body: JSON.stringify({ experimentID: experiment, filename: `${name}.jsonl`, data: text }),
      signal: AbortSignal.timeout(PATIENCE),
    });
    if (response.ok) return;
    const { error } = await response.json().catch(() => ({}));
    if (/(^|_)FILE_EXISTS$/.test(error)) return; // an answer got lost: a name stands for one text
    throw Object.assign(new Error(`DataPipe: ${error ?? response.status}`), {
      isFinal: FINAL.includes(error),
      isFull: error === "SESSION_LIMIT_REACHED",
    });
  },

  async finish() {},

  withdraw(name, text) {
    return this.send(name, text); // it can't delete files: the importer and the researcher do
  },
});
