export type { DatabaseOptions, RetryOptions } from './database-options.ts';
export { openDatabase } from './open-database.ts';
