import { ConfigError, type NativeResult, type NativeStatement } from '@dal/core';
import { type LibraryResult, resultOfLibrary } from './library-mapping.ts';
import type { PgField, PgLine } from './pg-client.ts';
import { NO_COLUMNS, type RowShape } from './row-shape.ts';
import { readTag, type StatementContext } from './statement-run.ts';
import { WholeRun } from './whole-run.ts';

/** Asked for with `libraryOptions`, since it takes several statements in one text. */
export function wantsSimple({ mapping, libraryOptions }: NativeStatement): boolean {
  return mapping === 'library' && libraryOptions?.['queryMode'] === 'simple';
}

/**
 * A text by the simple protocol, as `pg` sends texts without values: perhaps several statements, each with
 * a result of its own. Without a BEGIN among them they are one transaction.
 */
export class SimpleRun extends WholeRun {
  readonly #results: LibraryResult[] = [];
  readonly #text: string;
  #affectedRows = 0;
  #rows: unknown[] = [];
  #shape: RowShape = NO_COLUMNS;

  /** @throws ConfigError for values, which this protocol has no place for */
  constructor(
    statement: NativeStatement,
    context: StatementContext,
    answer: (result: NativeResult) => void,
    refuse: (error: unknown) => void,
  ) {
    super({ ...statement, name: undefined }, context, answer, refuse);
    if (statement.values.length > 0) throw valuesRefused();
    this.#text = statement.text;
  }

  override submit(line: PgLine): void {
    // The server tells of no binding here; each statement may have run as soon as the text is there.
    this.isBound = true;
    line.query(this.#text);
  }

  override handleRowDescription(message: { readonly fields: readonly PgField[] }): void {
    super.handleRowDescription(message);
    this.rows = [];
  }

  override handleCommandComplete({ text }: { readonly text: string }): void {
    if (this.failure !== undefined) return;
    this.tag = text;
    this.#rows = this.rows;
    this.#shape = this.shape ?? NO_COLUMNS;
    this.#affectedRows += readTag(text).affectedRows;
    this.#results.push(resultOfLibrary(text, this.#rows, this.#shape.fields, this.asArray));
    this.rows = [];
    this.shape = undefined;
  }

  override handleCopyInResponse(line: PgLine): void {
    this.fail(new ConfigError('A text of several statements sends no COPY data.', USAGE));
    line.sendCopyFail('this connection sends no COPY data');
  }

  protected override result(): NativeResult {
    const results = this.#results;
    const [first = resultOfLibrary('', [], [], this.asArray)] = results;
    return {
      rows: this.#rows,
      columns: this.#shape.columns,
      affectedRows: this.#affectedRows,
      command: readTag(this.tag).command,
      ...(this.isUnconfirmed ? { unconfirmed: true } : {}),
      // `pg` makes a list only of several.
      library: results.length > 1 ? results : first,
    };
  }
}

const USAGE = { kind: 'usage', code: 'DAL_STATEMENT' } as const;

function valuesRefused(): ConfigError {
  return new ConfigError(
    'The simple protocol has no place for values; leave out queryMode: "simple". Nothing was sent.',
    USAGE,
  );
}
