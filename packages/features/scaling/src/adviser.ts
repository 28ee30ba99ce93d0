import type { ObservedPool, ScalingAction, ScalingAdvice, ScalingMessage } from '@dal/core';
import { decide, type Decision, evidenceOf, NOTHING } from './decide.ts';
import { type Around, type Facts, factsOf } from './facts.ts';
import { percent, plural, time } from './in-words.ts';
import { LevelKeeper } from './level-keeper.ts';
import { PoolWatch } from './pool-watch.ts';

/** Databases of one pool whose names are remembered, for their breakers. */
const MOST_DATABASES = 100;

/** Makes advice of what is seen of one pool. */
export class Adviser {
  readonly watch: PoolWatch;
  /** Names of the databases that use the pool. */
  readonly databases: Set<string> = new Set();
  advice: ScalingAdvice;
  readonly #keeper = new LevelKeeper();
  /** What the evaluation before this one would have done. */
  #wanted: ScalingAction = 'none';
  #told: Decision = NOTHING;

  constructor(pool: ObservedPool, slotMs: number, now: number) {
    this.watch = new PoolWatch(pool, slotMs, now);
    this.databases.add(pool.name);
    this.advice = emptyAdvice(pool);
  }

  /** A database uses the pool. */
  meet(database: string): void {
    if (this.databases.size < MOST_DATABASES) this.databases.add(database);
  }

  /** To be called once a slot. @returns what is new, if anything is */
  evaluate(around: Around): ScalingMessage | undefined {
    const facts = factsOf(this.watch, around);
    const { level: before, action: did } = this.advice;
    const { level, confidence } = this.#keeper.evaluate(facts);
    const decision = decide(facts, level);
    // A new cause is told when it is seen twice, or together with a new level.
    const isSure = decision.action === this.#wanted || level !== before;
    this.#wanted = decision.action;
    if (isSure || decision.action === did) this.#told = decision;
    this.advice = write(facts, { level, confidence }, this.#told);
    if (level === before && this.#told.action === did) return undefined;
    return { ...this.advice, pool: this.watch.pool, before: { level: before, action: did } };
  }
}

/** Before anything was seen. */
export function emptyAdvice(pool: ObservedPool): ScalingAdvice {
  const { max, overflow } = pool.view.settings;
  return {
    level: 'normal',
    action: 'none',
    confidence: 'low',
    reason: 'nothing was seen of it yet',
    evidence: [],
    sentence: `Nothing was seen of "${pool.name}" yet.`,
    windowMs: 0,
    acquired: 0,
    failed: 0,
    ratio: 0,
    utilisation: 0,
    waitP95Ms: undefined,
    useMeanMs: undefined,
    busyShare: undefined,
    required: undefined,
    limit: max + overflow,
    headroom: undefined,
    eventLoop: 0,
    busiest: undefined,
  };
}

function write(
  facts: Facts,
  { level, confidence }: Pick<ScalingAdvice, 'level' | 'confidence'>,
  { action, reason, remedy }: Decision,
): ScalingAdvice {
  const { windowMs, acquired, failed, ratio, utilisation, waitP95Ms, useMeanMs } = facts;
  const { busyShare, required, limit, headroom, eventLoop, busiest } = facts;
  return {
    level,
    action,
    confidence,
    reason,
    evidence: evidenceOf(facts),
    sentence: [verdict(facts, level, confidence), cause(action, reason, remedy)].join(' ').trim(),
    windowMs,
    acquired,
    failed,
    ratio,
    utilisation,
    waitP95Ms,
    useMeanMs,
    busyShare,
    required,
    limit,
    headroom: headroom?.left,
    eventLoop,
    busiest,
  };
}

function verdict(
  { pool, failed, acquired, ratio, windowMs }: Facts,
  level: ScalingAdvice['level'],
  confidence: ScalingAdvice['confidence'],
): string {
  const callers = plural(acquired + failed, 'caller', 'callers');
  const share = `${failed} of ${callers} (${percent(ratio)}) found no connection in ${time(windowMs)}`;
  if (level !== 'normal') return `"${pool}" is under ${level} pressure: ${share}.`;
  const few = confidence === 'low' ? ', too few to judge the load by' : '';
  return `"${pool}" is under no pressure: ${share}${few}.`;
}

function cause(action: ScalingAction, reason: string, remedy: string): string {
  if (action === 'none') return '';
  return `${reason.charAt(0).toUpperCase()}${reason.slice(1)}. ${remedy}`;
}
