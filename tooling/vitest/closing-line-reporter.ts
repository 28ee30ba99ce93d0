import { writeSync } from 'node:fs';
import type { Reporter, SerializedError, TestModule, Vitest } from 'vitest/node';

interface RunCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/**
 * Prints `N passed, N failed[, N skipped]` as the last line of a run.
 *
 * Whatever keeps a test from being counted counts as failed: a file that cannot be loaded, an error
 * outside any test, a global setup that throws, a run that finds no test.
 */
export class ClosingLineReporter implements Reporter {
  #counts: RunCounts = { passed: 0, failed: 0, skipped: 0 };

  onInit(vitest: Vitest): void {
    if (vitest.config.watch) return;
    // Other reporters, teardown and vitest itself still print after the last test.
    process.once('exit', (code) => {
      const { passed, failed, skipped } = this.#counts;
      const unexplained = code !== 0 && failed === 0 ? 1 : 0;
      writeSync(1, `${closingLine({ passed, failed: failed + unexplained, skipped })}\n`);
    });
  }

  onTestRunEnd(
    modules: ReadonlyArray<TestModule>,
    unhandledErrors: ReadonlyArray<SerializedError>,
  ): void {
    this.#counts = countResults(modules, unhandledErrors.length);
  }
}

function closingLine({ passed, failed, skipped }: RunCounts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

function countResults(modules: ReadonlyArray<TestModule>, unhandledErrors: number): RunCounts {
  let passed = 0;
  let skipped = 0;
  let failed = unhandledErrors;
  for (const module of modules) {
    // Errors of the file itself: an import that throws, a suite hook that fails.
    failed += module.errors().length;
    for (const suite of module.children.allSuites()) failed += suite.errors().length;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === 'passed') passed += 1;
      else if (state === 'skipped') skipped += 1;
      // A test that never finished is no success.
      else failed += 1;
    }
  }
  return { passed, failed, skipped };
}
