export { PgClient } from './pg-client.ts';
export { type PgModule, pgModule } from './pg-module.ts';
export { PgPool, pgPool, type PgPoolOptions } from './pg-pool.ts';
