import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Job {
  readonly permissions?: unknown;
  readonly 'timeout-minutes'?: number;
  readonly steps?: readonly Step[];
}

interface Workflow {
  readonly on?: Readonly<Record<string, unknown>>;
  readonly permissions?: unknown;
  readonly jobs?: Readonly<Record<string, Job>>;
}

/** The only job that may prove who it is, which is what npm trusts. */
const PUBLISHES = 'publish';

/**
 * Looks for what a workflow could do beyond its purpose, and for what it names and is not there.
 *
 * @param file name of the workflow, for the sentences
 * @param text of the workflow
 * @returns one sentence for every finding
 */
export function checkWorkflow(root: string, file: string, text: string): string[] {
  const workflow = parse(text) as Workflow;
  const problems: string[] = [];
  const say = (sentence: string): void => void problems.push(`${file}: ${sentence}`);

  if (/\bsecrets\b/.test(text)) say('names a secret; nothing here needs one');
  if (workflow.on !== undefined && 'pull_request_target' in workflow.on) {
    say("runs strangers' code with rights of ours (pull_request_target)");
  }
  if (workflow.permissions === undefined) say('does not say its permissions');
  for (const [right, level] of rights(workflow.permissions)) {
    if (level !== 'read') say(`gives "${right}: ${level}" to every job`);
  }

  for (const [name, job] of Object.entries(workflow.jobs ?? {})) {
    const at = `job "${name}"`;
    if (job['timeout-minutes'] === undefined) say(`${at} has no timeout-minutes`);
    for (const [right, level] of rights(job.permissions)) {
      if (level === 'write' && right === 'id-token' && name !== PUBLISHES) {
        say(`${at} may publish (id-token: write)`);
      }
      if (level !== 'read' && level !== 'write') say(`${at} has "${right}: ${level}"`);
    }
    for (const step of job.steps ?? []) problems.push(...checkStep(root, `${file}: ${at}`, step));
  }
  return problems;
}

function rights(permissions: unknown): [right: string, level: string][] {
  // In place of a list there may be one word for all of them.
  if (typeof permissions === 'string') return [['everything', permissions]];
  return Object.entries(permissions ?? {}).map(([right, level]) => [right, String(level)]);
}

function checkStep(
  root: string,
  at: string,
  { uses, run = '', with: inputs = {} }: Step,
): string[] {
  const problems: string[] = [];
  if (uses !== undefined && !/@(?:v\d+(?:\.\d+)*|[0-9a-f]{40})$/.test(uses)) {
    problems.push(`${at} uses ${uses} without a version`);
  }
  if (uses?.startsWith('actions/checkout@') && inputs['persist-credentials'] !== false) {
    problems.push(`${at} leaves its credentials in the checkout (persist-credentials)`);
  }
  if (/\$\{\{\s*github\.event\./.test(run)) {
    problems.push(`${at} puts words of strangers into a command (github.event)`);
  }
  const commands = [run, typeof inputs['script'] === 'string' ? inputs['script'] : ''];
  for (const command of commands) {
    for (const path of command.match(/(?<=^|\s)\.?[\w-]+(?:\/[\w.-]+)+/g) ?? []) {
      // What is installed is not in the repository.
      if (path.startsWith('node_modules/') || existsSync(join(root, path))) continue;
      problems.push(`${at} names ${path}, which does not exist`);
    }
    for (const [, script = ''] of command.matchAll(/(?:npm|pnpm) run ([\w:-]+)/g)) {
      if (script in scriptsOf(root)) continue;
      problems.push(`${at} runs the script "${script}", which package.json does not have`);
    }
  }
  return problems;
}

function scriptsOf(root: string): Readonly<Record<string, string>> {
  const text = readFileSync(join(root, 'package.json'), 'utf8');
  return (JSON.parse(text) as { scripts?: Record<string, string> }).scripts ?? {};
}
