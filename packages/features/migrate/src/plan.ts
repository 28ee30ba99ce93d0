import type { HistoryRow } from './history.ts';
import { MigrationError, shown } from './migration-error.ts';
import { findByWord, numberOf } from './migration-files.ts';
import type { Migration } from './read-migration.ts';

/** What is known of one migration, from its file and from the history. */
export interface MigrationStatus {
  readonly name: string;
  /** The file, or the one that it had when it ran. */
  readonly file: string;
  /**
   * `changed`: its file is not what ran. `missing`: it ran, and has no file. `half-way`: it failed,
   * or was interrupted, outside of a transaction.
   */
  readonly state: 'applied' | 'pending' | 'changed' | 'missing' | 'half-way';
  readonly appliedAt: Date | undefined;
}

/** Files and history side by side, in the order of the numbers. */
export class Plan {
  readonly #migrations: readonly Migration[];
  readonly #rows: ReadonlyMap<string, HistoryRow>;

  constructor(migrations: readonly Migration[], rows: readonly HistoryRow[]) {
    this.#migrations = migrations;
    this.#rows = new Map(rows.map((row) => [row.name, row]));
  }

  get statuses(): MigrationStatus[] {
    const known = new Set(this.#migrations.map(({ name }) => name));
    const missing = [...this.#rows.values()].filter(({ name }) => !known.has(name));
    return [
      ...this.#migrations.map((migration) => this.#statusOf(migration)),
      ...missing.map((row): MigrationStatus => {
        return { name: row.name, file: row.file, state: 'missing', appliedAt: row.at };
      }),
    ].toSorted((a, b) => compare(numberOf(a.name), numberOf(b.name)));
  }

  row(name: string): HistoryRow | undefined {
    return this.#rows.get(name);
  }

  /** What there is to do upwards. */
  pending(to?: string): Migration[] {
    const last = to === undefined ? undefined : findByWord(to, this.#migrations);
    return this.#migrations.filter(
      (migration) =>
        this.#rows.get(migration.name)?.state !== 'applied' &&
        (last === undefined || migration.number <= last.number),
    );
  }

  /** What there is to undo, the newest first: down to `to`, which stays, or so many steps. */
  applied(to: string | undefined, steps: number): Migration[] {
    const done = this.#migrations.filter(({ name }) => this.#rows.has(name)).toReversed();
    if (to === undefined) return done.slice(0, steps);
    if (/^0+$/.test(to)) return done;
    const last = findByWord(to, this.#migrations);
    return done.filter(({ number }) => number > last.number);
  }

  /** Why nothing may run now, the gravest first. */
  problems(options: {
    readonly outOfOrder?: boolean | undefined;
    readonly allowNewer?: boolean | undefined;
    readonly resume?: boolean | undefined;
  }): MigrationError[] {
    const statuses = this.statuses;
    const newest = this.#migrations.at(-1)?.number ?? 0n;
    const found: MigrationError[] = [];
    if (!options.resume) {
      for (const { name, state } of statuses) {
        const row = this.#rows.get(name);
        if (state === 'half-way' && row) found.push(halfWayError(row, this.#find(name)));
      }
    }
    for (const status of statuses) {
      if (status.state === 'changed') found.push(changedError(status));
      const isNewer = numberOf(status.name) > newest;
      if (status.state === 'missing' && !(isNewer && options.allowNewer)) {
        found.push(missingError(status, isNewer));
      }
    }
    const lastDone = statuses.findLast(({ state }) => state !== 'pending' && state !== 'half-way');
    if (options.outOfOrder || lastDone === undefined) return found;
    for (const status of statuses.slice(0, statuses.indexOf(lastDone))) {
      if (status.state === 'pending') found.push(orderError(status, lastDone));
    }
    return found;
  }

  #find(name: string): Migration | undefined {
    return this.#migrations.find((migration) => migration.name === name);
  }

  #statusOf({ name, file, checksum }: Migration): MigrationStatus {
    const row = this.#rows.get(name);
    if (row === undefined) return { name, file, state: 'pending', appliedAt: undefined };
    if (row.state !== 'applied') return { name, file, state: 'half-way', appliedAt: undefined };
    // What ran as TypeScript may be there as JavaScript later; their texts can't be compared.
    const isSameKind = endingOf(row.file) === endingOf(file);
    const state = isSameKind && row.checksum !== checksum ? 'changed' : 'applied';
    return { name, file, state, appliedAt: row.at };
  }
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function endingOf(file: string): string {
  return file.slice(file.lastIndexOf('.'));
}

/** Says which statement of which file it was, what is known of it, and what to do. */
function halfWayError(row: HistoryRow, migration: Migration | undefined): MigrationError {
  const { name, file, state, statement, failure } = row;
  const part = state === 'applying' ? migration?.up : migration?.down;
  const way = state === 'applying' ? 'up' : 'down';
  const before =
    statement > 1
      ? ` ${statement === 2 ? 'Statement 1 is' : `Statements 1 to ${statement - 1} are`} done and can't be undone by themselves.`
      : '';
  const what =
    failure ??
    `${part ? describeStatement(part.statements, statement) : 'it'} was begun, and the process or its connection ended before anybody heard how that went`;
  const again = part ? `goes on at statement ${statement}` : 'runs it again from its start';
  return new MigrationError(
    `${shown(file)} was left half-way ${way}: ${what}.${before} Look at the database and repair it. Then go on: "dal-migrate ${way} --resume" ${again}; "dal-migrate resolve ${name} applied" says that all of it is done, "dal-migrate resolve ${name} pending" that nothing of it is.`,
    { code: 'DAL_MIGRATION_HALF_WAY', migration: name },
  );
}

/** `statement 2 of 5 (line 7: ALTER TABLE users)`. */
export function describeStatement(
  statements: readonly { readonly line: number; readonly label: string }[],
  number: number,
): string {
  const statement = statements[number - 1];
  const where = statement ? ` (line ${statement.line}: ${statement.label})` : '';
  return `statement ${number} of ${statements.length}${where}`;
}

function changedError({ name, file }: MigrationStatus): MigrationError {
  return new MigrationError(
    `${shown(file)} was changed after it ran. Put the old text back and write a new migration; or, if the database is as the file says now, "dal-migrate resolve ${name} applied".`,
    { code: 'DAL_MIGRATION_CHANGED', migration: name },
  );
}

function missingError({ name, file }: MigrationStatus, isNewer: boolean): MigrationError {
  const newer = isNewer
    ? ' It is newer than all that are there: if this is an older release on purpose, use allowNewer (--allow-newer).'
    : '';
  return new MigrationError(
    `${shown(file)} has run and is not in the folder any more. Put it back; or, to forget it, "dal-migrate resolve ${name} pending".${newer}`,
    { code: 'DAL_MIGRATION_MISSING', migration: name },
  );
}

function orderError({ name, file }: MigrationStatus, last: MigrationStatus): MigrationError {
  return new MigrationError(
    `${shown(file)} comes before ${shown(last.file)}, which has run already. Give it a higher number; or, if their order does not matter, use outOfOrder (--out-of-order).`,
    { code: 'DAL_MIGRATION_ORDER', migration: name },
  );
}
