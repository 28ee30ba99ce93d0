import { parseArgs } from 'node:util';
import { type ServerKind, startServer } from '@dal/testing/servers';
import { runCampaign } from './campaign.ts';
import { cutEverywhere } from './cuts.ts';
import { runFailovers } from './failovers.ts';
import { printReport, printVerdicts } from './print-report.ts';
import { violationsOf } from './verdict.ts';

const ENGINES = ['postgres', 'mysql', 'mariadb'] as const;
const USAGE = `pnpm chaos
  --engine postgres|mysql|mariadb
  --seconds 30       how long faults are made, with a crash in each quarter of a minute; 0: not at all
  --seed 1           the order of the faults
  --failovers 2      how often the primary changes under write load; default: 2, in short campaigns 0
  --cuts 2000        how often the line is cut in the middle of a statement or transaction; default: 0
  --raw              through the raw driver with blind retries, which must go red`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    args: process.argv.slice(2).filter((word) => word !== '--'),
    options: {
      engine: { type: 'string' },
      seconds: { type: 'string', default: '30' },
      seed: { type: 'string', default: String(Date.now() % 100_000) },
      failovers: { type: 'string' },
      cuts: { type: 'string', default: '0' },
      raw: { type: 'boolean', default: false },
    },
  });
  const engine = ENGINES.find((name) => name === values.engine);
  const [seconds, seed] = [Number(values.seconds), Number(values.seed)];
  const failovers = Number(values.failovers ?? (seconds < 30 || values.raw ? 0 : 2));
  const cuts = Number(values.cuts);
  if (!engine || !(seconds >= 0) || ![seed, failovers, cuts].every(Number.isInteger)) {
    console.error(USAGE);
    process.exitCode = 2;
    return;
  }
  const print = (line: string): void => console.log(line);
  let violations = 0;
  if (seconds > 0) {
    const report = await runCampaign({ engine, seconds, seed, raw: values.raw });
    printReport(report, print);
    violations += violationsOf(report.verdicts).length;
  }
  if (failovers > 0) {
    const verdicts = await runFailovers(engine, failovers);
    print(`${engine}, the primary changes`);
    printVerdicts(verdicts, print);
    violations += violationsOf(verdicts).length;
  }
  if (cuts > 0) violations += await cut(engine, cuts, print);
  process.exitCode = violations === 0 ? 0 : 1;
}

/** How many promises were broken. */
async function cut(
  engine: ServerKind,
  cuts: number,
  print: (line: string) => void,
): Promise<number> {
  await using server = await startServer(engine, { own: true });
  let violations = 0;
  for (const [how, part] of [
    ['reset', 1],
    ['end', 5],
    ['stall', 20],
  ] as const) {
    const report = await cutEverywhere(server.url, how, Math.ceil(cuts / part));
    print(`${engine}, ${report.cuts} cuts, ${how}: ${JSON.stringify(report.told)}`);
    for (const words of report.violations) print(`  ${words}`);
    violations += report.violations.length;
  }
  return violations;
}

void main();
