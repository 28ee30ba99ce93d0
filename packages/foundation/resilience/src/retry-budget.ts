import { ConfigError, integer, readOptions } from '@dal/core';

export interface RetryBudgetOptions {
  /** How much of a retry each first attempt pays for. Default: 0.2, so at most 20 % more load. */
  readonly ratio?: number;
  /** What there is at the start, so that the first few failures can be retried. Default: 10. */
  readonly reserve?: number;
  /** What good times can save up, and a sudden outage spend at once. Default: 100. */
  readonly cap?: number;
}

/**
 * Keeps retries a small part of the load, so that an outage is not made worse by them: n first
 * attempts bring at most `n * ratio` retries and what was saved before, however many of them fail.
 */
export class RetryBudget {
  readonly #ratio: number;
  readonly #cap: number;
  #tokens: number;

  /** @throws ConfigError */
  constructor(options: RetryBudgetOptions = {}) {
    const read = readOptions('RetryBudget', { ...options }, readers);
    this.#ratio = read.ratio ?? 0.2;
    this.#tokens = read.reserve ?? 10;
    this.#cap = Math.max(this.#tokens, read.cap ?? 100);
  }

  /** Retries that could be paid for now. */
  get available(): number {
    return Math.floor(this.#tokens);
  }

  /** Counts a first attempt. */
  earn(): void {
    const tokens = this.#tokens + this.#ratio;
    this.#tokens = tokens < this.#cap ? tokens : this.#cap;
  }

  /** Takes what one retry costs; false when there is not enough, and then nothing is taken. */
  tryRetry(): boolean {
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}

function ratio(value: unknown, where: string): number {
  if (typeof value === 'number' && value >= 0 && value <= 1) return value;
  throw new ConfigError(`${where} must be a number from 0 to 1.`, {
    kind: 'usage',
    code: 'DAL_CONFIG_VALUE',
  });
}

const readers = { ratio, reserve: integer(0, 10_000), cap: integer(1, 10_000) };
