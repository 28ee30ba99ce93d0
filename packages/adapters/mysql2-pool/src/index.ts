export { CallbackPool } from './callback-pool.ts';
export { type Mysql2Module, mysql2Module } from './mysql2-module.ts';
export { mysql2Pool, type Mysql2PoolOptions } from './mysql2-pool.ts';
