export * from './backoff.ts';
export * from './retry-verdict.ts';
export * from './retry-budget.ts';
