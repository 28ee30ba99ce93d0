import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/**
 * Native builds that are not a family for all platforms, with the reason.
 * Each entry is a package name without its version.
 */
const ALONE: ReadonlyMap<string, string> = new Map([
  ['@napi-rs/lzma-linux-x64-gnu', 'only the Linux build of rollup uses it'],
]);

/**
 * Looks for native builds that stand in the lockfile for Linux only.
 *
 * pnpm leaves a platform's build out without a word when it is not published yet at the moment the
 * lockfile is written; the repository then works here and nowhere else.
 *
 * @param lockfile text of pnpm-lock.yaml
 * @returns one sentence for every build that is missing
 */
export function checkLockfile(lockfile: string): string[] {
  const present = new Set(packageKeys(lockfile));
  const problems: string[] = [];
  for (const key of present) {
    const { name, version } = splitKey(key);
    const family = /^(.*[-/.])linux-(?:x64|64)(?:-.*)?$/.exec(name)?.[1];
    if (family === undefined || ALONE.has(name)) continue;
    for (const [platform, pattern] of SIBLINGS) {
      const found = pattern.some((suffix) => present.has(`${family}${suffix}@${version}`));
      if (!found) problems.push(`${key} has no build for ${platform} in pnpm-lock.yaml`);
    }
  }
  return problems;
}

/** Every spelling in use: esbuild writes win32-x64, rolldown win32-x64-msvc, turbo windows-64. */
const SIBLINGS: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
  ['macOS (arm64)', ['darwin-arm64']],
  ['Windows (x64)', ['win32-x64', 'win32-x64-msvc', 'windows-x64', 'windows-64']],
];

function packageKeys(lockfile: string): string[] {
  const keys: string[] = [];
  let inPackages = false;
  for (const line of lockfile.split(/\r?\n/)) {
    if (/^\S/.test(line)) inPackages = line === 'packages:';
    const key = inPackages ? /^ {2}'?([^\s'].*?@[^\s':]+)'?:/.exec(line)?.[1] : undefined;
    if (key !== undefined) keys.push(key);
  }
  return keys;
}

function splitKey(key: string): { name: string; version: string } {
  const at = key.lastIndexOf('@');
  return { name: key.slice(0, at), version: key.slice(at + 1) };
}

if (import.meta.main) {
  const path = resolve(import.meta.dirname, '../../pnpm-lock.yaml');
  const problems = checkLockfile(readFileSync(path, 'utf8'));
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
  else console.log('lockfile: every native build has its macOS and Windows siblings');
}
