import { parseArgs } from 'node:util';
import { printSoak } from './print-soak.ts';
import { soak } from './soak.ts';

const ENGINES = ['postgres', 'mysql', 'mariadb'] as const;

async function main(): Promise<void> {
  const { values } = parseArgs({
    args: process.argv.slice(2).filter((word) => word !== '--'),
    options: {
      engine: { type: 'string', default: 'postgres' },
      minutes: { type: 'string', default: '1' },
      seed: { type: 'string', default: String(Date.now() % 100_000) },
      leak: { type: 'boolean', default: false },
    },
  });
  const engine = ENGINES.find((name) => name === values.engine);
  const [minutes, seed] = [Number(values.minutes), Number(values.seed)];
  if (!engine || !(minutes > 0) || !Number.isInteger(seed)) {
    console.error('soak: [--engine postgres|mysql|mariadb] [--minutes 10] [--seed 1] [--leak]');
    process.exitCode = 2;
    return;
  }
  const report = await soak({ engine, seconds: Math.round(minutes * 60), seed, leak: values.leak });
  printSoak(report, (line) => console.log(line));
  process.exitCode = report.violations.length === 0 ? 0 : 1;
}

void main();
