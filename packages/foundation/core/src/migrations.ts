/** What `db.migrate()` takes. */
export interface MigrateOptions {
  /** The folder with the migrations; a relative one is looked for from the working directory. */
  readonly dir: string | URL;
  /** The last one to run, by its number or name: `'0004'`, `'0004_add_email'`. Default: all of them. */
  readonly to?: string;
  /** Reads files and history, says what would run, and changes nothing. Default: false. */
  readonly dryRun?: boolean;
  /** Goes on with a migration that was left half-way, at the statement that failed. Default: false. */
  readonly resume?: boolean;
  /** Also runs one that comes before others that have run already. Default: false, it is an error. */
  readonly outOfOrder?: boolean;
  /**
   * Takes it that newer migrations have run, of which this folder has no files: an older release
   * starts again. Default: false, it is an error.
   */
  readonly allowNewer?: boolean;
  /** Where it is written down what has run. Default: `dal_migrations`. */
  readonly table?: string;
  /** How long to wait while another process migrates. Default: 60 s. */
  readonly waitTimeoutMs?: number | string;
  /** How long a statement may wait for locks of tables and rows; 0: without end. Default: 10 s. */
  readonly lockTimeoutMs?: number | string;
  /** How long each statement of an SQL file may take. Default: without end. */
  readonly statementTimeoutMs?: number | string;
  /** Stops the statement that runs, on the server too; what is not committed is rolled back. */
  readonly signal?: AbortSignal;
  /** Is told what happens, in lines for people. Default: nobody is. */
  readonly log?: (line: string) => void;
}

/** What was done, or with `dryRun` what would be done. */
export interface MigrationReport {
  /** In the order in which they ran. */
  readonly migrations: readonly MigrationRun[];
  readonly dryRun: boolean;
  /** How long another process was waited for. */
  readonly waitedMs: number;
}

export interface MigrationRun {
  /** The file's name without its endings, such as `0004_add_email`. */
  readonly name: string;
  readonly file: string;
  readonly direction: 'up' | 'down';
  /** It is all or nothing, together with its line in the history. */
  readonly transaction: boolean;
  /** The statements of an SQL file; empty for code. */
  readonly statements: readonly string[];
  /** 0 in a dry run. */
  readonly durationMs: number;
}
