import type { Dialect, QueryMessage } from '@dal/core';
import { summarize } from './query-summary.ts';
import { cut, sanitize } from './sanitize-text.ts';
import type { TelemetrySettings } from './telemetry-options.ts';

/** What is told of a statement; depends on its text alone. One object as long as it is remembered. */
export interface StatementFacts {
  /** Empty when nothing is known. */
  readonly summary: string;
  /** The summary where metrics may have it: each one is a series of its own, so there are bounds. */
  readonly label: string | undefined;
  readonly text: string | undefined;
  readonly procedure: string | undefined;
}

type Kind = QueryMessage['kind'];

/** Together with a few kinds of errors, no more series than the SDK keeps for a metric. */
const MOST_LABELS = 500;
const MOST_TEXTS = 1_000;
const LONGEST_TEXT = 8_192;

/** Reads each text once, as long as there are not too many of them. */
export class StatementReader {
  readonly #queryText: TelemetrySettings['queryText'];
  readonly #labels = new Set<string>();
  readonly #known = new WeakMap<Dialect, Map<Kind, Map<string, StatementFacts>>>();

  constructor(queryText: TelemetrySettings['queryText']) {
    this.#queryText = queryText;
  }

  read(statement: string, kind: Kind, dialect: Dialect): StatementFacts {
    const known = this.#knownOf(dialect, kind);
    let facts = known.get(statement);
    if (facts) return facts;
    facts = this.#make(statement, kind, dialect);
    if (known.size >= MOST_TEXTS) known.clear();
    if (statement.length <= LONGEST_TEXT) known.set(statement, facts);
    return facts;
  }

  #knownOf(dialect: Dialect, kind: Kind): Map<string, StatementFacts> {
    let kinds = this.#known.get(dialect);
    if (!kinds) this.#known.set(dialect, (kinds = new Map()));
    let known = kinds.get(kind);
    if (!known) kinds.set(kind, (known = new Map()));
    return known;
  }

  #make(statement: string, kind: Kind, { lexis }: Dialect): StatementFacts {
    // The layer's own words for it begin with the name of the call.
    const words = kind === 'bulk' ? statement.replace(/^bulkInsert/, 'INSERT') : statement;
    const plain = summarize(words, lexis);
    const summary = kind === 'many' ? `BATCH ${plain}`.trim() : plain;
    return {
      summary,
      label: this.#labelOf(summary),
      // The others have no text of their own but the layer's words for them.
      text: kind === 'bulk' || kind === 'native' ? undefined : this.#textOf(statement, lexis),
      procedure: /^CALL (\S+)$/i.exec(plain)?.[1],
    };
  }

  #textOf(statement: string, lexis: Dialect['lexis']): string | undefined {
    if (this.#queryText === 'off') return undefined;
    return this.#queryText === 'asWritten' ? cut(statement) : sanitize(statement, lexis);
  }

  #labelOf(summary: string): string | undefined {
    if (summary === '') return undefined;
    if (this.#labels.size < MOST_LABELS) this.#labels.add(summary);
    return this.#labels.has(summary) ? summary : undefined;
  }
}
