export { dalDialect, type DalDialectOptions } from './dal-dialect.ts';
export type { KyselyLanguage } from './languages.ts';
