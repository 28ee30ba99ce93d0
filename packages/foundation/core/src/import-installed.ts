import Module from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * The exports of a package that is loaded by its name while the program runs, or undefined when it is
 * not there.
 *
 * @param load the caller's own `import()`: it looks from where the caller stands
 * @throws whatever loading it throws when it is there
 */
export async function importInstalled(
  name: string,
  load: (specifier: string) => Promise<unknown>,
): Promise<unknown> {
  try {
    return await load(name);
  } catch (error) {
    if (!isNotFound(error, name)) throw error;
  }
  // A strict package manager shows it to the application that installed it, and not to us.
  const path = resolveFromApplication(name);
  return path === undefined ? undefined : load(pathToFileURL(path).href);
}

function resolveFromApplication(name: string): string | undefined {
  for (const base of [process.argv[1], join(process.cwd(), 'package.json')]) {
    if (base === undefined) continue;
    try {
      // Not by its bare name, which webpack would follow and replace.
      return Module.createRequire(base).resolve(name);
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
