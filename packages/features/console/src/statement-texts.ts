import type { Dialect } from '@dal/core';
import { digestOf } from '@dal/scaling';

/** A statement as it may be shown: with `?` for every literal. */
export interface ShownText {
  readonly id: string;
  readonly text: string;
}

const MOST_KEPT = 500;
const LONGEST = 2_000;

/** Remembers what statements look like without their values; the same ones are shown every second. */
export class StatementTexts {
  readonly #kept = new Map<string, ShownText>();

  shown(statement: string, dialect: Dialect): ShownText {
    const key = `${dialect.name}\n${statement}`;
    const kept = this.#kept.get(key);
    if (kept) return kept;
    const { id, text } = digestOf(statement, dialect);
    const shown = { id, text: text.length > LONGEST ? `${text.slice(0, LONGEST)} ...` : text };
    if (this.#kept.size >= MOST_KEPT) {
      const [oldest] = this.#kept.keys();
      if (oldest !== undefined) this.#kept.delete(oldest);
    }
    this.#kept.set(key, shown);
    return shown;
  }
}

/** Tags as they are shown. */
export function shownTags(
  tags: Readonly<Record<string, string | number | boolean>> | undefined,
): Record<string, string> {
  const pairs = Object.entries(tags ?? {}).slice(0, 12);
  return Object.fromEntries(pairs.map(([key, value]) => [key, String(value).slice(0, 120)]));
}
