import { checkLevel, isOfLevel, makeCard, writeCard, type Outcome } from './card.ts';
import type { Chapter } from './chapter.ts';
import { bulk } from './chapters/bulk.ts';
import { connections } from './chapters/connections.ts';
import { errors } from './chapters/errors.ts';
import { faults } from './chapters/faults.ts';
import { locks } from './chapters/locks.ts';
import { pool } from './chapters/pool.ts';
import { schema } from './chapters/schema.ts';
import { statements } from './chapters/statements.ts';
import { streams } from './chapters/streams.ts';
import { timeouts } from './chapters/timeouts.ts';
import { transactions } from './chapters/transactions.ts';
import { values } from './chapters/values.ts';
import type { ConformanceOptions } from './conformance-options.ts';
import { within } from './expectations.ts';
import { Skip } from './skip.ts';
import { Stage } from './stage.ts';

const chapters: readonly Chapter[] = [
  values,
  statements,
  transactions,
  errors,
  connections,
  timeouts,
  streams,
  bulk,
  schema,
  locks,
  pool,
  faults,
];

const testTimeoutMs = 30_000;

/**
 * Registers one test for every sentence of the driver contract, against a real database.
 *
 * What the driver does not declare is skipped, and the card says so. Every test opens and drops
 * what it needs, so the tests may run one by one and in any order.
 */
export function runConformance(options: ConformanceOptions): void {
  const outcomes: Outcome[] = [];
  const group = options.describe ?? ((_: string, body: () => void) => body());
  for (const chapter of chapters) {
    group(chapter.name, () => {
      for (const [test, run] of Object.entries(chapter.tests)) {
        const outcome: Outcome = { chapter: chapter.name, test, state: 'waiting', reason: '' };
        outcomes.push(outcome);
        options.test(
          options.describe ? test : `${chapter.name}: ${test}`,
          (context) => perform(options, outcome, run, context),
          testTimeoutMs + 15_000,
        );
      }
    });
  }
  options.test('the card', () => finish(options, outcomes), testTimeoutMs);
}

async function perform(
  options: ConformanceOptions,
  outcome: Outcome,
  run: (stage: Stage) => Promise<void>,
  context: unknown,
): Promise<void> {
  outcome.state = 'running';
  try {
    await onStage(options, run);
    outcome.state = 'passed';
  } catch (error) {
    outcome.reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    outcome.state = error instanceof Skip ? 'skipped' : 'failed';
    const { level = 'full' } = options;
    if (error instanceof Skip) skipIn(context, error.message);
    else if (isOfLevel(level, outcome.chapter)) throw error;
    else skipIn(context, `beyond "${level}": ${outcome.reason}`);
  }
}

async function onStage(
  options: ConformanceOptions,
  run: (stage: Stage) => Promise<void>,
): Promise<void> {
  const stage = new Stage(options);
  let failed = false;
  try {
    await within(testTimeoutMs, 'the test', () => run(stage));
  } catch (error) {
    failed = true;
    throw error;
  } finally {
    // What went wrong first is what the reader needs.
    await (failed ? stage.clear().catch(() => undefined) : stage.clear());
  }
}

/** Both known runners have `skip` on the object that they give to a test. */
function skipIn(context: unknown, reason: string): void {
  if (context === undefined || context === null) return;
  const { skip } = context as { skip?: unknown };
  if (typeof skip === 'function') skip.call(context, reason);
}

async function finish(options: ConformanceOptions, outcomes: readonly Outcome[]): Promise<void> {
  // Only a part was asked for: there is nothing to say of the whole.
  if (outcomes.some(({ state }) => state === 'waiting')) return;
  const stage = new Stage(options);
  try {
    const version = await stage.db.version();
    const card = makeCard(outcomes, {
      ...version,
      name: options.driver.name,
      optionalMembers: [...(await stage.members())].join(', '),
      isolations: options.driver.dialect.isolations.join(', '),
    });
    options.onCard?.(card);
    if (options.cardFile !== undefined) await writeCard(options.cardFile, card);
    if (options.level !== undefined) checkLevel(card, options.level);
  } finally {
    await stage.clear();
  }
}
