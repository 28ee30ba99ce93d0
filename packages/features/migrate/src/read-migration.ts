import { createHash } from 'node:crypto';
import { type Dialect, suggest } from '@dal/core';
import { filesError, shown } from './migration-error.ts';
import { type MigrationFile, readText } from './migration-files.ts';
import { ScriptError, type ScriptStatement, splitStatements } from './split-statements.ts';

/** A migration with its text. */
export interface Migration extends MigrationFile {
  /** Of the file that runs upwards: SHA-256 of its text, see `readText`. */
  readonly checksum: string;
  /** Undefined for code, which is loaded when it runs. */
  readonly up: SqlPart | undefined;
  /** Undefined for code, and where there is no way back. */
  readonly down: SqlPart | undefined;
}

/** What runs in one direction. */
export interface SqlPart {
  readonly file: string;
  readonly statements: readonly ScriptStatement[];
  /** False: the file says that it can't run in a transaction. */
  readonly transaction: boolean;
}

/** @throws MigrationError `DAL_MIGRATION_FILES` that names file and line */
export async function readMigration(file: MigrationFile, dialect: Dialect): Promise<Migration> {
  const text = await readText(file.path, shown(file.file));
  const checksum = checksumOf(text);
  if (file.kind === 'code') return { ...file, checksum, up: undefined, down: undefined };
  const parts = readParts(file.file, text, dialect);
  if (file.downPath === undefined || file.downFile === undefined) {
    return { ...file, checksum, up: needUp(parts, file), down: parts.down };
  }
  const downText = await readText(file.downPath, shown(file.downFile));
  const below = readParts(file.downFile, downText, dialect);
  if (parts.down || below.down) {
    throw filesError(`${shown(file.name)} has a part "migrate:down" in a pair of files.`);
  }
  return { ...file, checksum, up: needUp(parts, file), down: needUp(below, file) };
}

export function checksumOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

interface Parts {
  readonly up: SqlPart;
  readonly down: SqlPart | undefined;
}

function needUp({ up }: Parts, { file, name }: MigrationFile): SqlPart {
  if (up.statements.length > 0) return up;
  throw filesError(`${shown(file)} has no statement.`, name);
}

/** Cuts a file into what runs up and what runs down. A file without marks runs up. */
function readParts(file: string, text: string, dialect: Dialect): Parts {
  const marks: Mark[] = [];
  /** Without a transaction: everywhere, or from a mark on. */
  const loose = new Set<number>();
  try {
    const found = splitStatements(text, dialect, (comment, line) => {
      const mark = readMark(comment, line);
      if (mark === 'no transaction') {
        loose.add(marks.length);
        return undefined;
      }
      if (mark === undefined) return undefined;
      marks.push(mark);
      if (mark.loose) loose.add(marks.length);
      return 'newPart';
    });
    return named(file, found, marks, loose);
  } catch (error) {
    if (!(error instanceof ScriptError)) throw error;
    throw filesError(`${shown(file)}, line ${error.line}: ${error.message}.`);
  }
}

interface Mark {
  readonly direction: 'up' | 'down';
  readonly line: number;
  readonly loose: boolean;
}

/** `-- migrate:up`, `-- migrate:down transaction:false`, `-- dal: no transaction`. */
function readMark(comment: string, line: number): Mark | 'no transaction' | undefined {
  const words = comment.slice(2).trim().toLowerCase().split(/\s+/);
  const [first = '', ...rest] = words;
  if (first === 'dal:' || first === 'dal') {
    if (first === 'dal:' && rest.join(' ') === 'no transaction') return 'no transaction';
    if (first === 'dal') return undefined;
    throw new ScriptError('after "-- dal:" only "no transaction" is known', line);
  }
  const marked = /^migrate:(.*)$/.exec(first)?.[1];
  if (marked === undefined) return undefined;
  if (marked !== 'up' && marked !== 'down') {
    const likely = suggest(marked, ['up', 'down']) ?? 'up';
    throw new ScriptError(`"-- migrate:${marked.slice(0, 20)}": did you mean "${likely}"?`, line);
  }
  const odd = rest.find((word) => word !== 'transaction:false' && word !== 'transaction:true');
  if (odd !== undefined) {
    throw new ScriptError(`after "-- migrate:${marked}" only "transaction:false" is known`, line);
  }
  return { direction: marked, line, loose: rest.includes('transaction:false') };
}

function named(
  file: string,
  found: readonly ScriptStatement[][],
  marks: readonly Mark[],
  loose: ReadonlySet<number>,
): Parts {
  const part = (index: number): SqlPart => ({
    file,
    statements: found[index] ?? [],
    transaction: !loose.has(0) && !loose.has(index),
  });
  if (marks.length === 0) return { up: part(0), down: undefined };
  const [early] = found[0] ?? [];
  if (early)
    throw new ScriptError('a statement stands before the first "-- migrate:" mark', early.line);
  const indexOf = (direction: Mark['direction']): number => {
    const all = marks.filter((mark) => mark.direction === direction);
    const [, second] = all;
    if (second) throw new ScriptError(`a second "-- migrate:${direction}"`, second.line);
    return all[0] ? marks.indexOf(all[0]) + 1 : -1;
  };
  const [up, down] = [indexOf('up'), indexOf('down')];
  if (up === -1) throw new ScriptError('"-- migrate:down" without "-- migrate:up"', 1);
  const below = down === -1 ? undefined : part(down);
  return { up: part(up), down: below?.statements.length ? below : undefined };
}
