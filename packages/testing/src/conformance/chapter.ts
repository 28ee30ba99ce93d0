import type { Stage } from './stage.ts';

/** A part of the contract: sentences, each with the test that proves it. */
export interface Chapter {
  readonly name: string;
  readonly tests: Readonly<Record<string, (stage: Stage) => Promise<void>>>;
}
