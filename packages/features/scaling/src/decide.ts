import type { ScalingAction, ScalingLevel } from '@dal/core';
import type { Facts } from './facts.ts';
import { percent, plural, time } from './in-words.ts';

/** What is to be done, and why. */
export interface Decision {
  readonly action: ScalingAction;
  readonly reason: string;
  /** What to do, in an imperative. */
  readonly remedy: string;
}

/** The first row of the table that fits. Causes stand above the size of things. */
export function decide(facts: Facts, level: ScalingLevel): Decision {
  for (const row of rows) {
    const decision = row(facts, level);
    if (decision) return decision;
  }
  return NOTHING;
}

export const NOTHING: Decision = {
  action: 'none',
  reason: 'there are connections enough',
  remedy: '',
};

type Row = (facts: Facts, level: ScalingLevel) => Decision | undefined;

const rows: readonly Row[] = [
  ({ unreachable }) =>
    unreachable === undefined
      ? undefined
      : {
          action: 'database_unreachable',
          reason: unreachable,
          remedy: 'Check that the server is up, reachable, and lets this user in.',
        },

  ({ leaks, utilisation, busyShare = 1, isSettled }, level) => {
    const keepsIdle = utilisation >= 0.9 && busyShare < 0.5 && (isSettled || level !== 'normal');
    if (leaks === 0 && !keepsIdle) return undefined;
    return {
      action: 'release_connections_sooner',
      reason:
        leaks > 0
          ? `${plural(leaks, 'connection is', 'connections are')} lent for long without a statement`
          : `${percent(utilisation)} of the connections are lent, and statements run on them for only ${percent(busyShare)} of that time`,
      remedy:
        'Give connections back before doing other work; db.pool.leaks() and db.pool.holders() show who keeps them.',
    };
  },

  // Some statement is always the greatest: it is told only where there is too little of something.
  ({ busiest }, level) =>
    level !== 'normal' && busiest && busiest.share >= 0.3
      ? {
          action: 'review_slow_queries',
          reason: `one statement takes ${percent(busiest.share)} of the database's time (digest ${busiest.id})`,
          remedy: `Make it faster or rarer: ${shorten(busiest.text)}`,
        }
      : undefined,

  ({ eventLoop, isSettled }, level) =>
    eventLoop >= 0.9 && (isSettled || level !== 'normal')
      ? {
          action: 'scale_out_app',
          reason: `this process is busy with itself for ${percent(eventLoop)} of the time`,
          remedy: 'Start more processes, or move heavy work out of this thread.',
        }
      : undefined,

  ({ headroom, isFull }) => {
    const isTight = headroom !== undefined && headroom.left < headroom.limit * 0.1;
    if (!isTight && !isFull) return undefined;
    return {
      action: 'use_pooler_or_bigger_database',
      reason: isFull
        ? 'the server has refused a connection because it has no place left'
        : `the server has ${Math.max(0, headroom?.left ?? 0)} of ${headroom?.limit} places left`,
      remedy:
        'Put a pooler before the server, take a bigger one, or give each process fewer connections.',
    };
  },

  (facts, level) => {
    const { required, limit, attemptP95Ms, baselineP95Ms, headroom, instances } = facts;
    if (level === 'normal' || required === undefined || required <= limit) return undefined;
    // When statements have become slow, more of them at a time make them slower.
    const isSlower = (attemptP95Ms ?? 0) > 1.5 * (baselineP95Ms ?? Infinity);
    const more = (required - limit) * instances;
    if (isSlower || (headroom && headroom.left < more)) return undefined;
    const room = headroom
      ? `The server has ${headroom.left} places left.`
      : `How many places the server has left is not known: it must have ${more} (see probeHeadroom).`;
    return {
      action: 'raise_pool_limit',
      reason: `the load needs ${required} connections and there may be ${limit}`,
      remedy: `Raise pool.max to ${required}. ${room}`,
    };
  },

  ({ busiest }, level) => byLevel(busiest?.text)[level],
];

function byLevel(busiest: string | undefined): Partial<Record<ScalingLevel, Decision>> {
  const most = busiest === undefined ? '' : ` The most time goes to: ${shorten(busiest)}`;
  return {
    mild: {
      action: 'review_slow_queries',
      reason: 'the pool is a little short of connections',
      remedy: `Look at the statements that take the most time (digests()).${most}`,
    },
    high: {
      action: 'scale_vertically',
      reason: 'the pool is short of connections, and no single cause stands out',
      remedy: 'Take a bigger database server, and bigger app servers where they are busy.',
    },
    critical: {
      action: 'scale_horizontally',
      reason: 'the pool is far too short of connections, and no single cause stands out',
      remedy: 'Add app servers, and read replicas or shards where the database is the limit.',
    },
  };
}

function shorten(text: string): string {
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}

/** The facts as lines, for those who want to see what the advice stands on. */
export function evidenceOf(facts: Facts): string[] {
  const { acquired, failed, ratio, windowMs, utilisation, limit, busyShare, waitP95Ms } = facts;
  const { useMeanMs, required, headroom, eventLoop, busiest, attemptP95Ms, baselineP95Ms } = facts;
  const lines = [
    `${failed} of ${acquired + failed} callers (${percent(ratio)}) found no connection in ${time(windowMs)}`,
    `${percent(utilisation)} of ${plural(limit, 'connection was', 'connections were')} lent`,
    busyShare !== undefined && `a statement ran in ${percent(busyShare)} of that time`,
    waitP95Ms !== undefined && `95 % waited ${time(waitP95Ms)} or less`,
    useMeanMs !== undefined && `a loan lasted ${time(useMeanMs)} on average`,
    required !== undefined && `the load needs ${required} connections, and there may be ${limit}`,
    busiest && `${percent(busiest.share)} of the database's time: ${shorten(busiest.text)}`,
    attemptP95Ms !== undefined &&
      `95 % of statements took ${time(attemptP95Ms)} or less${baselineP95Ms === undefined ? '' : `; before, ${time(baselineP95Ms)}`}`,
    `the event loop was busy for ${percent(eventLoop)} of the time`,
    headroom && `the server has ${headroom.left} of ${headroom.limit} places left`,
  ];
  return lines.filter((line) => typeof line === 'string');
}
