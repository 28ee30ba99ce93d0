import { join } from 'node:path';
import { debianPackages } from './debian-packages.ts';
import { findPrograms } from './find-program.ts';
import { MetricsServer } from './metrics-server.ts';
import { runProgram } from './run-program.ts';
import { startWebProgram } from './web-program.ts';

/** A server that takes metrics by OTLP, gives them Prometheus's names and answers PromQL. */
export interface VictoriaMetrics extends MetricsServer {
  /** Where metrics are pushed to, in protobuf. */
  readonly otlpUrl: string;
}

/**
 * Starts VictoriaMetrics: Debian's Prometheus is built without its receiver for OTLP.
 *
 * @throws Error when there is none to be had here
 */
export async function startVictoriaMetrics(): Promise<VictoriaMetrics> {
  const command = await findProgram();
  const program = await startWebProgram({
    name: 'victoria-metrics',
    command,
    readyPath: '/health',
    args: ({ folder, address }) => [
      `-httpListenAddr=${address}`,
      `-storageDataPath=${join(folder, 'data')}`,
      '-opentelemetry.usePrometheusNaming',
      // What was pushed is to be seen by the next question.
      '-search.latencyOffset=0s',
      '-search.disableCache',
      '-inmemoryDataFlushInterval=1s',
      '-loggerLevel=WARN',
    ],
  });
  const [file = '', ...before] = command;
  const said = await runProgram(file, [...before, '--version']);
  const server = new MetricsServer(program, /\d+\.\d+\.\d+/.exec(said)?.[0] ?? 'unknown');
  return Object.assign(server, { otlpUrl: `${server.url}/opentelemetry/v1/metrics` });
}

async function findProgram(): Promise<readonly string[]> {
  const [onPath] = findPrograms('victoria-metrics');
  if (onPath !== undefined) return [onPath];
  const debian = await debianPackages({
    folder: `victoria-metrics-${process.arch}-1`,
    title: 'VictoriaMetrics (about 60 MB)',
    packages: ['victoria-metrics'],
    // The rest is for installing.
    without: /^(?!(victoria-metrics|libc6|libzstd1)$)/,
  });
  if (typeof debian === 'string') throw new Error(`No victoria-metrics on PATH; ${debian}.`);
  return debian.command(join(debian.root(), 'usr', 'bin', 'victoria-metrics'));
}
