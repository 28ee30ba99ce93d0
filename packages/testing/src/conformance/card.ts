import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import type { DriverVersion } from '@dal/core';

/**
 * How far a driver keeps the contract. `speaks`: values, statements, transactions and errors.
 * `steady`: connections, timeouts and the pool too. `full`: every chapter, and none skipped as a
 * whole. `none`: less than `speaks`.
 */
export type Level = 'none' | 'speaks' | 'steady' | 'full';

/** What the tests saw. Holds no dates and no durations, so the same driver gives the same card. */
export interface Card extends DriverVersion {
  readonly name: string;
  readonly level: Level;
  /** What the driver's sessions offer beside the required members. */
  readonly optionalMembers: string;
  readonly isolations: string;
  readonly chapters: Readonly<Record<string, ChapterCard>>;
  /** Name of the test and what it said. */
  readonly failed: Readonly<Record<string, string>>;
  /** Name of the test and the declaration that makes it pointless. */
  readonly skipped: Readonly<Record<string, string>>;
}

export interface ChapterCard {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** What became of one test. `waiting`: it has not run; `running`: it has not ended. */
export interface Outcome {
  readonly chapter: string;
  readonly test: string;
  state: 'waiting' | 'running' | 'passed' | 'failed' | 'skipped';
  reason: string;
}

const levels: readonly Level[] = ['none', 'speaks', 'steady', 'full'];
const speaks = ['values', 'statements', 'transactions', 'errors'];
const steady = [...speaks, 'connections', 'timeouts', 'pool'];

/** Whether a driver of this level has to pass this chapter. */
export function isOfLevel(level: Exclude<Level, 'none'>, chapter: string): boolean {
  return level === 'full' || (level === 'steady' ? steady : speaks).includes(chapter);
}

/** @throws AssertionError when a driver reaches less than it declares */
export function checkLevel(card: Card, declared: Exclude<Level, 'none'>): void {
  const reached = levels.indexOf(card.level);
  const { name, level } = card;
  assert.ok(
    reached >= levels.indexOf(declared),
    `${name} declares "${declared}" and is "${level}"`,
  );
}

export function makeCard(
  outcomes: readonly Outcome[],
  about: Pick<Card, 'name' | 'optionalMembers' | 'isolations'> & DriverVersion,
): Card {
  const chapters: Record<string, { passed: number; failed: number; skipped: number }> = {};
  const failed: Record<string, string> = {};
  const skipped: Record<string, string> = {};
  for (const { chapter, test, state, reason } of outcomes) {
    const counts = (chapters[chapter] ??= { passed: 0, failed: 0, skipped: 0 });
    if (state === 'passed') counts.passed++;
    else if (state === 'skipped') {
      counts.skipped++;
      skipped[`${chapter}: ${test}`] = reason;
    } else {
      counts.failed++;
      failed[`${chapter}: ${test}`] = reason || 'did not end';
    }
  }
  const { name, serverVersion, flavor, driver, driverVersion, optionalMembers, isolations } = about;
  const level = levelOf(chapters);
  const versions = { flavor, serverVersion, driver, driverVersion };
  return { name, level, ...versions, optionalMembers, isolations, chapters, failed, skipped };
}

function levelOf(chapters: Readonly<Record<string, ChapterCard>>): Level {
  const clean = (name: string): boolean => chapters[name]?.failed === 0;
  if (!speaks.every(clean)) return 'none';
  if (!steady.every(clean)) return 'speaks';
  const all = Object.values(chapters).every(({ failed, passed }) => failed === 0 && passed > 0);
  return all ? 'full' : 'steady';
}

/** Leaves the file alone when it says the same already. */
export async function writeCard(file: string, card: Card): Promise<void> {
  const text = `${JSON.stringify(card, null, 2)}\n`;
  const before = await readFile(file, 'utf8').catch(() => '');
  if (before !== text) await writeFile(file, text);
}
