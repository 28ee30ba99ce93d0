// Runs before `npm run demo` and `npm test`, so that a clean clone needs only Node 20 and npm.
// Built-in modules only: nothing is installed yet when this file runs.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

// pnpm installs by itself before it runs a script.
if (process.env.npm_config_user_agent?.startsWith('pnpm/')) process.exit(0);

const windows = process.platform === 'win32';
const installed = join(root, 'node_modules', '.bin', windows ? 'pnpm.cmd' : 'pnpm');
const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

const warm = existsSync(installed);
const [command, ...prefix] = warm ? [`"${installed}"`] : ['npx', '--yes', packageManager];
console.log(
  warm
    ? 'bootstrap: checking that node_modules matches pnpm-lock.yaml'
    : `bootstrap: first run, installing Node 24 and the packages into node_modules (${packageManager})`,
);

// A shell finds npx.cmd and pnpm.cmd on Windows; every argument is a constant of this repository.
const install = spawnSync([command, ...prefix, 'install', '--reporter=append-only'].join(' '), {
  cwd: root,
  shell: true,
  stdio: ['ignore', 'pipe', 'pipe'],
  encoding: 'utf8',
  maxBuffer: 64 * 1024 * 1024,
});

// Quiet when it works, complete when it does not.
if (install.status !== 0) {
  process.stdout.write(install.stdout ?? '');
  process.stderr.write(install.stderr ?? '');
  if (install.error) console.error(install.error.message);
  console.error('bootstrap: the install failed; the lines above say why');
}
process.exit(install.status ?? 1);
