// Answers to a question that is asked again and again: one that a later question has overtaken is dropped.

export class Latest {
  asked = 0;
  answered = 0; // the question that the newest answer is to

  /**
   * The answer to a question that is asked now; nothing if one that was asked later has been answered meanwhile.
   * @template Answer @param {() => Promise<Answer>} ask @returns {Promise<Answer | undefined>}
   */
  async of(ask) {
    const turn = (this.asked += 1);
    try {
      const answer = await ask();
      return this.accepts(turn) ? answer : undefined;
    } catch (error) {
      if (this.accepts(turn)) throw error;
      return undefined;
    }
  }

  /** Takes note that a question was answered, unless a later one was before. @param {number} turn */
  accepts(turn) {
    if (turn < this.answered) return false;
    this.answered = turn;
    return true;
  }
}
