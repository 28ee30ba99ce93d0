import { ConfigError, integer, readOptions } from '@dal/core';

export interface RetryBudgetOptions {
  /** How much of a retry each first attempt pays for. Default: 0.2, so at most 20 % more load. */
  readonly ratio?: number;
  /** What may be spent at once, so that a few failures in a quiet hour are retried. Default: 10. */
  readonly reserve?: number;
}

/**
 * Keeps retries a small part of the load, so that an outage is not made worse by them: n first
 * attempts bring at most `n * ratio + reserve` retries, however many of them fail.
 */
export class RetryBudget {
  readonly #ratio: number;
  readonly #reserve: number;
  #tokens: number;

  /** @throws ConfigError */
  constructor(options: RetryBudgetOptions = {}) {
    const read = readOptions('RetryBudget', { ...options }, { ratio, reserve: integer(0, 10_000) });
    this.#ratio = read.ratio ?? 0.2;
    this.#reserve = read.reserve ?? 10;
    this.#tokens = this.#reserve;
  }

  /** Retries that could be paid for now. */
  get available(): number {
    return Math.floor(this.#tokens);
  }

  /** Counts a first attempt. */
  earn(): void {
    const tokens = this.#tokens + this.#ratio;
    this.#tokens = tokens < this.#reserve ? tokens : this.#reserve;
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
