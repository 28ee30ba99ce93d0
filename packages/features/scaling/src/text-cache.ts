/** Of each of the two generations: together 1,000 texts. */
const GENERATION = 500;
const GENERATION_CHARACTERS = 1_000_000;
const LONGEST = 32_768;

/** What is known of texts. What is still asked for when the young half is full stays, the rest goes. */
export class TextCache<T> {
  #young = new Map<string, T>();
  #old = new Map<string, T>();
  #characters = 0;

  get(text: string): T | undefined {
    const young = this.#young.get(text);
    if (young !== undefined) return young;
    const old = this.#old.get(text);
    if (old !== undefined) this.set(text, old);
    return old;
  }

  set(text: string, known: T): void {
    if (text.length > LONGEST) return;
    if (this.#young.size >= GENERATION || this.#characters >= GENERATION_CHARACTERS) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#characters = 0;
    }
    this.#young.set(text, known);
    this.#characters += text.length;
  }
}
