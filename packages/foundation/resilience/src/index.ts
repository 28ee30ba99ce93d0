export * from './backoff.ts';
export * from './retry-verdict.ts';
