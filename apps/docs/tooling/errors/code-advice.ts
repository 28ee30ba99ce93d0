/**
 * What to do about an error or warning, by its code. The messages say what happened; this says what
 * a person does then. A test compares the codes with those in the sources.
 */
export const codeAdvice: Readonly<Record<string, string>> = {
  DAL_ABORTED:
    'Nothing: the caller wanted it. Whether a statement that was under way had its effect stands in `fault.applied`.',
  DAL_ADAPTER_DIALECT:
    'Give this adapter a database on an engine that it is for; the message names them.',
  DAL_ADAPTER_LIBRARY: 'Install the library itself beside the adapter: it lends its own classes.',
  DAL_ADAPTER_USAGE: 'Use the call that the message names.',
  DAL_CANCELLED: 'Find out who stopped it: a signal, `close()`, or a person at the server.',
  DAL_CHANNEL_BINDING:
    'Something between the program and the server ends TLS, or the server is old. Connect past it, or set `channelBinding` to `prefer`.',
  DAL_CHARSET:
    'Leave `SET NAMES` out of the session; use `CONVERT(... USING ...)` in the statement.',
  DAL_CIRCUIT_LISTENERS: 'Call what `onStateChange` answered when a listener is done with.',
  DAL_CIRCUIT_OPEN:
    'Answer your caller at once; `error.retryAfterMs` says when the next call may pass. The last failure is the `cause`.',
  DAL_CIRCUIT_OPTIONS: 'Give the numbers of a breaker in one place, or use two names.',
  DAL_CIRCUIT_TOO_MANY: 'Name breakers after what they protect, not after requests.',
  DAL_CLOSED: 'The program uses a database after `close()`. Stop taking requests before closing.',
  DAL_COLUMNS: 'Name each column once in `columns`.',
  DAL_COMMIT_OUTCOME_UNKNOWN:
    'Look whether the transaction is there before doing it again. On MySQL, MariaDB and others a `commitTable` lets the layer look.',
  DAL_COMMIT_ROLLED_BACK: 'Run the transaction again, or let `retries` do it: nothing of it stays.',
  DAL_COMMIT_TABLE: 'Make the table once with the statement in the message, by a user who may.',
  DAL_COMMIT_UNCONFIRMED: 'Do not run it again: it is committed. Look at the replicas.',
  DAL_CONFIG_UNKNOWN_OPTION: 'Correct the name; the message has the likely right one.',
  DAL_CONFIG_URL:
    'Write the URL as in [getting started](../start/postgres.md); special characters of a password are percent-encoded.',
  DAL_CONFIG_VALUE: 'Correct the option that the message names.',
  DAL_CONNECT_TIMEOUT:
    'Check address, firewall and load of the server; `connectTimeoutMs` bounds one attempt.',
  DAL_CONNECTION: 'See the kind `connection`; `cause` has the error of the system or the library.',
  DAL_CONNECTION_DROPPED:
    'Give connections back: `await using connection = await db.acquire()`, or `release()` in a `finally`.',
  DAL_CONNECTION_LOST: 'Acquire another connection. Nothing was sent.',
  DAL_CONSOLE_OPEN:
    'Give the console an `authorize` function before it listens on an address that others reach.',
  DAL_DOUBLE_SPANS:
    'Switch the instrumentation of the library off, unless the program uses the library without DAL too.',
  DAL_DRIVER_BROKEN: 'The package is installed and can not be loaded: look at `cause`.',
  DAL_DRIVER_INVALID: 'For authors of drivers: export a complete driver as `driver`.',
  DAL_DRIVER_MISSING: 'Install the package that the message names.',
  DAL_ENTITY_ASYNC_VALIDATOR: 'Use the awaited calls for this collection.',
  DAL_ENTITY_DDL_IN_TRANSACTION: 'Call `em.prepare(type, sample)` before the transaction.',
  DAL_ENTITY_DDL_NEVER: 'Put the statements of `error.ddl` into a migration.',
  DAL_ENTITY_DIRECTION: 'Use `asc` or `desc`.',
  DAL_ENTITY_FIELD: 'Correct the name of the field.',
  DAL_ENTITY_INVALID: 'Correct the entity; `error.issues` has what the validator says.',
  DAL_ENTITY_NOT_FOUND: 'The entity is not there or deleted: `restore` it, or tell the user.',
  DAL_ENTITY_OPERATOR: 'Use one of the operators in the message.',
  DAL_ENTITY_TABLE_TAKEN: 'Choose another name for the type.',
  DAL_ENTITY_TYPE: 'Give a value of the kind that the field holds.',
  DAL_ENTITY_UNSTABLE:
    'Look for a second unique index, or for programs that make and delete the same id.',
  DAL_ENTITY_VERSION:
    'Read the entity again and decide anew; `error.actualVersion` is the version that is there.',
  DAL_ENTITY_WHERE: 'Write the condition as a value or as `{ operator: value }`.',
  DAL_ERROR: 'An error without a code of its own; its `cause` and `kind` say more.',
  DAL_FACTORY_MISSING: 'Install `@dal/factory` and a driver beside the command.',
  DAL_FILE_ASKED:
    'Be suspicious of that server: it asked for a file of this machine. Nothing was sent.',
  DAL_HOOK_FAILED: 'A listener of `db.hooks` threw; correct it. The call went on.',
  DAL_IDENTIFIER: 'Give a name as text, or schema and name as a list.',
  DAL_JSON: 'Give `json()` a value that JSON can hold.',
  DAL_KILL: 'The session is still in the list of the server; look there.',
  DAL_KNEX_CLIENT: 'Give Knex the client that the message names.',
  DAL_KNEX_OPTION: 'Leave the option out: the database that Knex was given has its own.',
  DAL_KYSELY_LANGUAGE: 'Give the dialect of Kysely for this engine, as the message says.',
  DAL_LISTENER_FAILED: 'A listener threw; correct it. Nothing else was changed.',
  DAL_LOAD_INCOMPLETE:
    'Raise `max_error_count`, or load without `localInfile`. Nothing of the load stays.',
  DAL_MIGRATE_MISSING: 'Install `@dal/migrate` and call `enableMigrate()`.',
  DAL_MIGRATE_USAGE: 'Correct the command line; `dal-migrate --help` has all of it.',
  DAL_MIGRATION_CHANGED: 'Put the old text back and write a new migration.',
  DAL_MIGRATION_FAILED: 'Correct the statement that the message names, and run again.',
  DAL_MIGRATION_FILES: 'Correct the file or folder that the message names. Nothing was run.',
  DAL_MIGRATION_HALF_WAY: 'Look at the database, repair it, then `--resume` or `resolve`.',
  DAL_MIGRATION_LOCK_LOST: 'Migrate past the pooler, on a session that stays.',
  DAL_MIGRATION_LOCKED: 'Wait for the other process, with a longer `waitTimeoutMs`, or end it.',
  DAL_MIGRATION_MISSING: 'Put the file back, or say `resolve <name> pending`.',
  DAL_MIGRATION_NO_DOWN: 'Write the way back.',
  DAL_MIGRATION_ORDER: 'Give the file a higher number, or allow `outOfOrder`.',
  DAL_NESTED_ACQUIRE:
    'Use the transaction or connection that the callback was given; both places in your code stand in the message.',
  DAL_NO_CATALOG: 'For authors of drivers: set `dialect.catalog`.',
  DAL_NO_ROW: 'Use `queryOne` where no row is a good answer.',
  DAL_NO_SAVEPOINTS: 'Do without the nested transaction on this engine.',
  DAL_NO_SERVER:
    'No server of `host` is what `targetSessionAttrs` asks for; the message has what each of them said.',
  DAL_NO_SERVER_LIMIT:
    'Statements are still stopped by the program, but not when the program itself freezes. Let the session set its limit.',
  DAL_NO_TABLE: 'Correct the name; the message has the likely right one.',
  DAL_NO_TRANSACTION: 'Call `begin` first, or leave this call out.',
  DAL_NO_TRANSACTIONS: 'This engine or driver has no transactions.',
  DAL_NOT_READY:
    'The server is there and can not serve, such as a node outside of its group. Look at the server.',
  DAL_NOT_SET_UP: 'Await `manager.setup()` first.',
  DAL_PASSWORD: 'The function for the password failed, or gave no text: `cause` has its error.',
  DAL_PING_TIMEOUT:
    'The server gave no sign of life in time: look whether it runs, and at the line to it.',
  DAL_PLACEHOLDERS:
    'Use `?` for values, and `??` for a question mark that is an operator; or `placeholders: "native"`.',
  DAL_POOL_QUEUE_FULL:
    'Too many callers wait already. Find what holds the connections; then think of `maxWaiting` or a larger pool.',
  DAL_POOL_TIMEOUT:
    'Read who holds the connections: the message and `error.holders` say it. [Troubleshooting](../guides/troubleshooting.md) goes on from there.',
  DAL_RELEASED_TWICE: 'Release once; with `await using` not at all.',
  DAL_ROW: 'Correct the row that the message names. Nothing of the load stays.',
  DAL_ROW_SOURCE: 'The source of the rows threw: `cause` has its error. Nothing of the load stays.',
  DAL_SCALING_ENABLED: 'Give the options where scaling is enabled first.',
  DAL_SCALING_FAILED: 'A listener failed; correct it. Nothing else was changed.',
  DAL_SCALING_MISSING: 'Install `@dal/scaling` and call `enableScaling()`.',
  DAL_SERVERS_SLOW: 'Some of the servers have not answered yet; the next attempt may succeed.',
  DAL_SESSION_ENDED: 'The session ended before it could begin with this.',
  DAL_SESSION_ID: 'Give the id as the server lists it.',
  DAL_SETUP_FAILED:
    'Look at `cause`: the configuration of this database is wrong. Waiting does not help.',
  DAL_SHUTDOWN: 'The shutdown was late or something still held a connection: the warning says who.',
  DAL_SLOW_CALL: 'Look at the function that the warning names.',
  DAL_SQL: 'Correct the template: the message says what can not stand there.',
  DAL_SQLITE_BUNDLED: 'Mark `@dal/sqlite` as external and install it beside the bundle.',
  DAL_SQLITE_BUSY_SESSION: 'Finish or leave the stream before the next call on the same session.',
  DAL_SQLITE_CONNECT_TIMEOUT:
    'The process of SQLite did not start in time: the machine is busy, or `connectTimeoutMs` short.',
  DAL_SQLITE_HELD:
    'The one session of this inline database is in a transaction of somebody else; try later.',
  DAL_SQLITE_MEMORY_LOST: 'Use a file for what must stay.',
  DAL_SQLITE_PATH: 'Correct the path; its folder must exist.',
  DAL_SQLITE_SESSION_LOST: 'The process of this session ended. The pool opens another one.',
  DAL_STATEMENT: 'Correct the statement as the message says.',
  DAL_STATEMENT_TIMEOUT:
    'Look at the plan of the statement ([EXPLAIN](../guides/explain-and-indexes.md)), or give it more `timeoutMs`.',
  DAL_STOPPED:
    'Somebody stopped it, such as a person at the page of the console, or the end of the database.',
  DAL_STREAM_ENDED: 'Finish or leave the loop before the transaction or connection ends.',
  DAL_STREAM_USED: 'Call `stream()` again for another loop.',
  DAL_STRICT_DDL: 'Do the DDL before or after the transaction.',
  DAL_SYNC_ASYNC_CALLBACK: 'Use blocking calls in the callback.',
  DAL_SYNC_BUNDLED: 'Mark the packages `@dal/*` as external in the bundler.',
  DAL_SYNC_MISSING: 'Install `@dal/sync` and call `enableSync()`.',
  DAL_SYNC_ONE_SESSION: 'Use a file, or `openSyncDatabase()`.',
  DAL_SYNC_OPTION: 'Leave the option out for databases with blocking calls.',
  DAL_SYNC_RESULT: 'Read this result with the awaited call.',
  DAL_SYNC_WORKER_LOST:
    'The worker ended; the next call starts another one. Transactions of the old one are gone.',
  DAL_TABLE_MAINTENANCE: 'Read what the server answered, in the message.',
  DAL_TELEMETRY_FAILED: 'Correct the provider or exporter; calls go on.',
  DAL_TLS_NOT_OFFERED: 'The server speaks no TLS: set it up there, or choose another `tls`.',
  DAL_TOO_MANY_ROWS: 'Add a `LIMIT` or a unique condition, or use `query`.',
  DAL_TRANSACTION_ABORTED:
    'Do not swallow the error of a statement in a transaction; use a nested transaction for a part that may fail.',
  DAL_TRANSACTION_BUSY: 'Await one statement before the next, or leave `strictConcurrency` out.',
  DAL_TRANSACTION_ENDED: 'Await everything inside the callback.',
  DAL_TRANSACTION_GONE: 'The server ended the transaction; begin another one.',
  DAL_TRANSACTION_OPEN: 'Use `transaction()` for a part; end the transaction where it was begun.',
  DAL_TRANSACTION_TIMEOUT:
    'Make the transaction shorter, or give it more `timeoutMs`. Nothing of it stays.',
  DAL_UNKNOWN_DATABASE: 'Correct the name; the message has the likely right one.',
  DAL_UNKNOWN_DATABASE_TYPE: 'Correct the scheme, or register the driver.',
  DAL_USE_AFTER_RELEASE: 'Use a connection only until it is given back.',
  DAL_VALUE: 'Give a value that the engine can hold; wrap objects in `json()`.',
  DAL_VALUE_COUNT: 'Give as many values as there are `?`.',
  DAL_VALUE_RANGE: 'Read with `integers: "safe"` or `"bigint"`.',
  DAL_WRONG_SERVER: 'Nothing: another server is asked.',
};
