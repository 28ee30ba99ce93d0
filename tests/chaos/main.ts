import { parseArgs } from 'node:util';
import { runCampaign } from './campaign.ts';
import { printReport } from './print-report.ts';

const ENGINES = ['postgres', 'mysql', 'mariadb'] as const;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      engine: { type: 'string' },
      seconds: { type: 'string', default: '30' },
      seed: { type: 'string', default: String(Date.now() % 100_000) },
      raw: { type: 'boolean', default: false },
    },
  });
  const engine = ENGINES.find((name) => name === values.engine);
  const [seconds, seed] = [Number(values.seconds), Number(values.seed)];
  if (!engine || !(seconds > 0) || !Number.isInteger(seed)) {
    console.error('chaos: --engine postgres|mysql|mariadb [--seconds 30] [--seed 1] [--raw]');
    process.exitCode = 2;
    return;
  }
  const report = await runCampaign({ engine, seconds, seed, raw: values.raw });
  printReport(report, (line) => console.log(line));
  process.exitCode = report.violations.length === 0 ? 0 : 1;
}

void main();
