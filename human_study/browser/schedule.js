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

  /**
   * What is due after an input that did not win the game; no question is due twice at once.
   * @param {boolean} hasDied
   * @param {boolean} hasKey
   */
  after(hasDied, hasKey) {
    this.inputs++;
    const happened = [...(hasDied ? ["death"] : []), ...(hasKey && !this.hadKey ? ["key"] : [])];
    this.hadKey = hasKey;
    /** @type {Due[]} */
    const due = [];
    for (const [number, probe] of this.probes.entries()) {
      const why = this.why(probe, happened);
      if (!why || (probe.most && this.asked[number] >= probe.most)) continue;
      if (due.some(({ question }) => question === probe.question)) continue;
      this.asked[number]++;
      due.push({ page: probe.page, question: probe.question, why });
    }
    return due;
  }

  /** Empty if it is not due. @param {Probe} probe @param {string[]} happened */
  why(probe, happened) {
    if (probe.every) return this.inputs % probe.every === 0 ? "every" : "";
    if (probe.at) return probe.at.includes(this.inputs) ? "at" : "";
    return probe.after && happened.includes(probe.after) ? probe.after : "";
  }
}
