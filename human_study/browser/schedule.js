// When the questions in the middle of a play are due, as protocol/probes.py has it: by inputs, so pauses don't count.

/**
 * From the description: ``every`` and ``at`` count inputs; ``most`` in one play, 0: no limit.
 * @typedef {{page: string, question: string, every?: number, at?: number[], after?: string, most: number}} Probe
 * @typedef {{page: string, question: string, why: string}} Due
 */

export class Schedule {
  /** The questions of one play. @param {Probe[]} probes */
  constructor(probes) {
    this.probes = probes;
    this.inputs = 0;
    this.asked = probes.map(() => 0);
    this.hadKey = false;
  }

  /** What is due after an input that did not win the game. @param {boolean} hasDied @param {boolean} hasKey @returns {Due[]} */
  after(hasDied, hasKey) {
    this.inputs++;
    const happened = [...(hasDied ? ["death"] : []), ...(hasKey && !this.hadKey ? ["key"] : [])];
    this.hadKey = hasKey;
    return this.probes.flatMap((probe, number) => {
      const why = this.why(probe, happened);
      if (!why || (probe.most && this.asked[number] >= probe.most)) return [];
      this.asked[number]++;
      return [{ page: probe.page, question: probe.question, why }];
    });
  }

  /** Empty if it is not due. @param {Probe} probe @param {string[]} happened */
  why(probe, happened) {
    if (probe.every) return this.inputs % probe.every === 0 ? "every" : "";
    if (probe.at) return probe.at.includes(this.inputs) ? "at" : "";
    return probe.after && happened.includes(probe.after) ? probe.after : "";
  }
}
