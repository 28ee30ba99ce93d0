import { ConfigError, type Driver, importInstalled } from '@dal/core';

/**
 * The driver that a package exports as `driver`, or undefined when the package is not installed.
 *
 * @throws ConfigError when it is installed and can't be used
 */
export async function importDriver(packageName: string): Promise<Driver | undefined> {
  let found: unknown;
  try {
    found = await importInstalled(packageName, load);
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

/** Resolved while the program runs: a bundler has nothing to follow here. */
function load(specifier: string): Promise<unknown> {
  return import(/* @vite-ignore */ /* webpackIgnore: true */ specifier);
}

function firstLine(error: unknown): string {
  return (
    String(error instanceof Error ? error.message : error)
      .split('\n')[0]
      ?.slice(0, 300) ?? ''
  );
}
