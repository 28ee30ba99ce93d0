import type { ScalingAdvice, ScalingLevel } from '@dal/core';
import type { PoolCard, Verdict } from './snapshot.ts';

const RANKS: Readonly<Record<ScalingLevel, number>> = { normal: 0, mild: 1, high: 2, critical: 3 };

/** What a pool shows, and what is advised for it. */
export interface Judged {
  readonly card: PoolCard;
  readonly advice: Pick<ScalingAdvice, 'level' | 'action' | 'reason' | 'sentence' | 'evidence'>;
}

/**
 * All pools in a sentence: the worst one's, or how well all are.
 *
 * @param server what is more worth saying than that, when all are well
 */
export function verdictOf(judged: readonly Judged[], server?: string): Verdict {
  const troubled = judged
    .filter(({ advice: { level, action } }) => level !== 'normal' || action !== 'none')
    .toSorted((a, b) => weight(b) - weight(a));
  const [worst] = troubled;
  if (worst === undefined) {
    const calm = calmOf(judged);
    return server === undefined ? calm : { ...calm, sentence: server };
  }
  const { level, action, reason, sentence: advice, evidence } = worst.advice;
  const others = troubled.length - 1;
  const more =
    others === 0 ? '' : ` ${others} more pool${others === 1 ? ' needs' : 's need'} attention.`;
  const sentence = `${worst.card.name}: ${reason}.${more}`;
  return { level, action, sentence, advice, evidence };
}

function calmOf(judged: readonly Judged[]): Verdict {
  const good = { level: 'normal', action: 'none', advice: '', evidence: [] } as const;
  if (judged.length === 0) {
    const sentence = 'No pool is open yet; each one appears here with its first connection.';
    return { ...good, sentence };
  }
  const sum = (of: (card: PoolCard) => number): number =>
    judged.reduce((total, { card }) => total + of(card), 0);
  const [lent, max, waiting] = [sum((c) => c.lent), sum((c) => c.max), sum((c) => c.waiting)];
  const who = judged.length === 1 ? 'The pool is well' : `All ${judged.length} pools are well`;
  const waits = waiting === 0 ? 'nobody waits' : `${waiting} wait${waiting === 1 ? 's' : ''}`;
  return { ...good, sentence: `${who}: ${lent} of ${max} connections are in use, and ${waits}.` };
}

/** More for what is worse. */
export function weight({ advice: { level, action } }: Judged): number {
  // A cause that is known now weighs more than a level that looks back over minutes.
  return RANKS[level] * 2 + (action === 'none' ? 0 : 1);
}
