import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { debianPackages } from './debian-packages.ts';
import { findPrograms } from './find-program.ts';
import { MetricsServer } from './metrics-server.ts';
import { runProgram } from './run-program.ts';
import { startWebProgram } from './web-program.ts';

export interface PrometheusOptions {
  /** Where metrics are fetched, as `host:port`. They get the job `scraped`. */
  readonly targets?: readonly string[];
  /** The text of a file of rules. */
  readonly rules?: string;
  /** An Alertmanager, as `host:port`. */
  readonly alertmanager?: string;
  /** Between two fetches, and between two looks at the rules. Default: 500. */
  readonly intervalMs?: number;
}

/** @throws Error when there is none to be had here, or it refuses its configuration */
export async function startPrometheus(options: PrometheusOptions = {}): Promise<MetricsServer> {
  const { server } = await programs();
  const program = await startWebProgram({
    name: 'prometheus',
    command: server,
    readyPath: '/-/ready',
    async args({ folder, address }) {
      const rules = join(folder, 'rules.yml');
      const config = join(folder, 'prometheus.yml');
      if (options.rules !== undefined) await writeFile(rules, options.rules);
      // All of JSON is YAML.
      await writeFile(config, JSON.stringify(configuration(options, rules)));
      return [
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=${address}`,
        '--log.level=warn',
      ];
    },
  });
  return new MetricsServer(program, await versionOf(server));
}

/**
 * Runs `promtool` to its end and answers what it said.
 *
 * @throws Error with its words when it finds a fault
 */
export async function promtool(...args: readonly string[]): Promise<string> {
  const [file = '', ...before] = (await programs()).tool;
  return runProgram(file, [...before, ...args]);
}

function configuration(
  { targets = [], rules, alertmanager, intervalMs = 500 }: PrometheusOptions,
  rulesFile: string,
): unknown {
  const each = `${intervalMs}ms`;
  const at = (addresses: readonly string[]): unknown => [{ targets: addresses }];
  return {
    global: { scrape_interval: each, scrape_timeout: each, evaluation_interval: each },
    scrape_configs:
      targets.length > 0 ? [{ job_name: 'scraped', static_configs: at(targets) }] : [],
    rule_files: rules === undefined ? [] : [rulesFile],
    ...(alertmanager === undefined
      ? {}
      : { alerting: { alertmanagers: [{ static_configs: at([alertmanager]) }] } }),
  };
}

interface Programs {
  readonly server: readonly string[];
  readonly tool: readonly string[];
}

let found: Promise<Programs> | undefined;

function programs(): Promise<Programs> {
  return (found ??= findAll());
}

/** Version 3 or newer; those before differ in what they take for a label. */
async function findAll(): Promise<Programs> {
  const [tool] = findPrograms('promtool');
  for (const server of findPrograms('prometheus')) {
    if (tool !== undefined && Number.parseInt(await versionOf([server])) >= 3) {
      return { server: [server], tool: [tool] };
    }
  }
  const debian = await debianPackages({
    folder: `prometheus-${process.arch}-1`,
    title: 'Prometheus (about 50 MB)',
    packages: ['prometheus', 'promtool'],
    // The rest is for installing.
    without: /^(?!(prometheus|promtool|libc6)$)/,
  });
  if (typeof debian === 'string') {
    throw new Error(`No prometheus and promtool of version 3 or newer on PATH; ${debian}.`);
  }
  const program = (name: string) => debian.command(join(debian.root(), 'usr', 'bin', name));
  return { server: program('prometheus'), tool: program('promtool') };
}

async function versionOf([file = '', ...before]: readonly string[]): Promise<string> {
  const said = await runProgram(file, [...before, '--version']);
  return /version (\d[\w.]*)/.exec(said)?.[1] ?? 'unknown';
}
