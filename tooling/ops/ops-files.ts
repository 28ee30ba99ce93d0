import { alerts } from './alerts.ts';
import { dashboard } from './dashboard.ts';
import { windowOf } from './promql.ts';
import { records } from './records.ts';
import { rulesFile } from './rules-file.ts';

/** Where the files are, from the root. */
export const OPS_FOLDER = 'packages/features/otel/ops';

/** What is shipped for those who run a service, by file. */
export function opsFiles(): Readonly<Record<string, string>> {
  return {
    'rules.yml': rules(),
    'dashboard.json': `${JSON.stringify(dashboard(), null, 2)}\n`,
  };
}

/**
 * Records and alerts as one group, so that an alert sees what was recorded in the same moment.
 *
 * @param minuteMs how long a minute is; a drill takes a second, so that it needn't wait
 */
export function rules(minuteMs?: number): string {
  const window = windowOf(minuteMs);
  return rulesFile(
    [
      'Alerts for services that use DAL, and the series that they ask for. They go by the metrics of',
      '@dal/otel, scraped or pushed by OTLP.',
      'Made by `pnpm ops` from tooling/ops; a change here would be lost.',
    ],
    [{ name: 'dal', rules: [...records(window), ...alerts(window)] }],
  );
}
