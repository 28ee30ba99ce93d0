import { type Description, NO_COLUMNS } from './description.ts';
import type { SqliteDatabase, SqliteStatement } from './native-database.ts';
import { READ_ONLY_TRANSACTION } from './session-messages.ts';
import { mayUpdateInstead, statementVerb } from './statement-verb.ts';

/** A prepared statement and what is known of it. */
export interface Prepared {
  readonly statement: SqliteStatement;
  readonly verb: string;
  /** It can't change the file, by SQLite's own word. */
  readonly readonly: boolean;
  readonly reader: boolean;
  /** Its last id is the id of a row that it inserted. */
  readonly insertsOnly: boolean;
  readonly changesData: boolean;
  /** Neither the schema nor the state of a transaction is another one after it succeeded. */
  readonly ordinary: boolean;
  /** The word that a transaction for reading begins with. */
  readonly setsQueryOnly: boolean;
  description: Description;
  /** How often the schema was seen to change when `description` was made, see `Session`. */
  epoch: number;
  /** The file's number of its schema from before the run that `description` was made after. */
  schema: number;
  /** Rows come as arrays; the library's own setting of the statement. */
  raw: boolean;
  /** Whole numbers come as bigints; the library's own setting of the statement, and not its default. */
  bigints: boolean;
  /** The last answer was short. */
  short: boolean;
}

export const NEVER = -1;

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));
const CHANGES_DATA = words('INSERT UPDATE DELETE REPLACE');
const ORDINARY = words('INSERT UPDATE DELETE REPLACE SELECT VALUES EXPLAIN');
const KEEPS_SCHEMA = words(
  'INSERT UPDATE DELETE REPLACE SELECT VALUES EXPLAIN BEGIN COMMIT END SAVEPOINT RELEASE',
);

/** @throws better-sqlite3's errors */
export function prepareStatement(database: SqliteDatabase, text: string): Prepared {
  const statement = database.prepare(text);
  const verb = statementVerb(text);
  return {
    statement,
    verb,
    readonly: statement.readonly,
    reader: statement.reader,
    insertsOnly: (verb === 'INSERT' || verb === 'REPLACE') && !mayUpdateInstead(text),
    changesData: CHANGES_DATA.has(verb),
    ordinary: ORDINARY.has(verb),
    setsQueryOnly: text === READ_ONLY_TRANSACTION,
    description: NO_COLUMNS,
    epoch: NEVER,
    schema: NEVER,
    raw: false,
    bigints: true,
    short: false,
  };
}

/** A ROLLBACK counts as a change: it takes back what a transaction did to the schema. */
export function keepsSchema(verb: string): boolean {
  return KEEPS_SCHEMA.has(verb);
}
