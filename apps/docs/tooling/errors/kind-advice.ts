/** What a kind of fault means, and what a program or a person does about it. */
export interface KindAdvice {
  readonly means: string;
  readonly todo: string;
}

/** For every kind that a driver of this repository tells; a test compares the two. */
export const kindAdvice: Readonly<Record<string, KindAdvice>> = {
  unique: {
    means: 'A row with the same key is there already.',
    todo: 'Tell the user, or write an upsert. `error.fault.constraint` names the constraint where the server does.',
  },
  foreignKey: {
    means: 'A foreign key has no partner, or a row that others refer to was to go.',
    todo: 'Insert the partner first, or delete what refers to the row.',
  },
  notNull: { means: 'A column that must have a value got NULL.', todo: 'Give the value.' },
  check: {
    means: 'A CHECK constraint, a trigger or another rule of the table refused the row.',
    todo: 'Correct the row.',
  },
  exclusion: {
    means: 'PostgreSQL: an exclusion constraint found a row that is in the way.',
    todo: 'As for `unique`: choose another range, or tell the user.',
  },
  syntax: { means: 'The server can not read the statement.', todo: 'Correct its text.' },
  schema: {
    means: 'A table, column, function, schema or database is not there, or is there already.',
    todo: 'Run the migrations; compare the name with `db.schema`.',
  },
  data: {
    means: 'A value does not fit its type or column, or a computation overflows.',
    todo: 'Correct the value. The offending value is only in `error.cause`.',
  },
  permission: {
    means: 'The user may not do that.',
    todo: 'Grant the right, or use another user.',
  },
  deadlock: {
    means: 'Two transactions waited for each other; the server rolled this one back.',
    todo: 'Give `transaction` some `retries`. A statement alone is tried again by itself.',
  },
  serialization: {
    means: 'The isolation can not be kept; the server rolled this transaction back.',
    todo: 'Give `transaction` some `retries`. A statement alone is tried again by itself.',
  },
  lockTimeout: {
    means: 'A lock did not come free in time. The statement did nothing.',
    todo: 'Find who holds the lock; make transactions shorter.',
  },
  statementTimeout: {
    means: 'The time of a statement, a transaction or a wait was over.',
    todo: 'Look at the plan of the statement, or give it more `timeoutMs`. `error.fault.applied` says whether it had an effect: `no` or `unknown`.',
  },
  cancelled: {
    means: 'A signal, a person at the server, or `close()` stopped it.',
    todo: 'Usually nothing: somebody wanted that.',
  },
  authentication: {
    means: 'The login was refused, or TLS could not be set up.',
    todo: "Correct user, password, certificate or the server's rules. It is never tried again by itself.",
  },
  connection: {
    means: 'The server could not be reached, or the line broke.',
    todo: 'Nothing for what runs again by itself. `applied: "unknown"` means that the statement may have had its effect: declare it `idempotent`, or look before doing it again.',
  },
  overloaded: {
    means: 'The server, or the queue before the pool, has no place left.',
    todo: 'Fewer or smaller pools, or a larger limit at the server.',
  },
  notReady: {
    means: 'The server starts, stops or is not able to serve now.',
    todo: 'Wait: connects are repeated within the deadline of who waits.',
  },
  readOnly: {
    means: 'This server, session or transaction takes no writes.',
    todo: 'With several servers set `targetSessionAttrs: "read-write"`, and the write goes to the primary.',
  },
  resource: {
    means: 'Disk, memory, locks or another bound of the server is used up.',
    todo: 'Make room at the server.',
  },
  stalePlan: {
    means: "A prepared statement or its plan is out of date, or another session's.",
    todo: 'Nothing outside of a transaction: it is prepared anew. Behind a pooler in transaction mode set `pooler: "transaction"`.',
  },
  corrupt: {
    means: 'SQLite: the file is damaged, or no database.',
    todo: 'Restore it from a backup.',
  },
  usage: {
    means: 'The call, an option or the order of calls is wrong.',
    todo: 'Correct the program; the message says how.',
  },
  unknown: {
    means: 'The driver has no word for it.',
    todo: 'Look at `error.cause`, the error of the library.',
  },
};
