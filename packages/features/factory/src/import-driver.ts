import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ConfigError, type Driver } from '@dal/core';

/**
 * The driver that a package exports as `driver`, or undefined when the package is not installed.
 *
 * @throws ConfigError when it is installed and can't be used
 */
export async function importDriver(packageName: string): Promise<Driver | undefined> {
  let found: unknown;
  try {
    found = await importPackage(packageName);
  } catch (error) {
    throw new ConfigError(
      `The package "${packageName}" is installed, but loading it failed: ${firstLine(error)}`,
      { code: 'DAL_DRIVER_BROKEN', kind: 'usage', cause: error },
    );
  }
  if (found === undefined) return undefined;
  return asDriver(
    (found as { driver?: unknown }).driver,
    `The "driver" export of "${packageName}"`,
  );
}

/**
 * Checks that a value is a driver, so that a wrong one fails here and not at the first query.
 *
 * @throws ConfigError
 */
export function asDriver(value: unknown, where: string): Driver {
  const driver = (value ?? {}) as Partial<Driver>;
  const lacks = [
    typeof driver.name === 'string' || 'name',
    Array.isArray(driver.schemes) || 'schemes',
    (typeof driver.dialect === 'object' && driver.dialect !== null) || 'dialect',
    typeof driver.connect === 'function' || 'connect',
    typeof driver.classify === 'function' || 'classify',
  ].filter((part) => part !== true);
  if (lacks.length === 0) return value as Driver;
  throw new ConfigError(`${where} is not a driver: ${lacks.join(', ')} missing.`, {
    code: 'DAL_DRIVER_INVALID',
    kind: 'usage',
  });
}

/** The package's exports, or undefined when it is not there. */
async function importPackage(name: string): Promise<unknown> {
  try {
    // Resolved while the program runs: a bundler has nothing to follow here.
    return await import(/* @vite-ignore */ /* webpackIgnore: true */ name);
  } catch (error) {
    if (!isNotFound(error, name)) throw error;
  }
  // A strict package manager shows the driver to the application that installed it, and not to us.
  const path = resolveFromApplication(name);
  if (path === undefined) return undefined;
  return import(/* @vite-ignore */ /* webpackIgnore: true */ pathToFileURL(path).href);
}

function resolveFromApplication(name: string): string | undefined {
  for (const base of [process.argv[1], join(process.cwd(), 'package.json')]) {
    if (base === undefined) continue;
    try {
      return createRequire(base).resolve(name);
    } catch (error) {
      if (!isNotFound(error, name)) throw error;
    }
  }
  return undefined;
}

/** True when the package itself is absent, not something that it needs. */
function isNotFound(error: unknown, name: string): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return (
    (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') &&
    typeof message === 'string' &&
    message.includes(`'${name}'`)
  );
}

function firstLine(error: unknown): string {
  return (
    String(error instanceof Error ? error.message : error)
      .split('\n')[0]
      ?.slice(0, 300) ?? ''
  );
}
