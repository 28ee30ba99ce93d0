import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { CreateError } from './create-error.ts';
import { checkPackageName, driverNames, type DriverNames } from './driver-names.ts';

/** What is to be made. */
export interface DriverPlan {
  /** The database, such as `oracle`. */
  readonly driver: string;
  /** Default: `dal-` and the driver's name. */
  readonly packageName?: string | undefined;
  /** Made when it is not there; must be empty. Default: the package's name without its scope. */
  readonly folder?: string | undefined;
}

const TEMPLATE = join(import.meta.dirname, '..', 'template');
const OWN_MANIFEST = join(import.meta.dirname, '..', 'package.json');

/**
 * Writes a driver's package: it works as it is, on the SQLite that ships with Node.
 *
 * @returns the folder, and the files in it
 * @throws CreateError that says what to give instead; then nothing was written
 */
export async function createDriver(
  plan: DriverPlan,
): Promise<{ readonly folder: string; readonly files: readonly string[] }> {
  const names = driverNames(plan.driver);
  const packageName = checkPackageName(plan.packageName ?? `dal-${names.kebab}`);
  const folder = resolve(plan.folder ?? basename(packageName));
  const isNew = await checkFolder(folder);
  const written: string[] = [];
  try {
    for (const [file, text] of await filesOf(names, packageName)) {
      await mkdir(join(folder, dirname(file)), { recursive: true });
      await writeFile(join(folder, file), text, { flag: 'wx' });
      written.push(file);
    }
  } catch (error) {
    // What is left would stand in the way of a second attempt.
    if (isNew) await rm(folder, { recursive: true, force: true });
    throw new CreateError(`The files could not be written to ${folder}: ${wordsOf(error)}`, {
      cause: error,
    });
  }
  return { folder, files: written };
}

/** True when the folder is not there yet. @throws CreateError when somebody's files are in it */
async function checkFolder(folder: string): Promise<boolean> {
  let found: string[];
  try {
    found = (await readdir(folder)).filter((name) => name !== '.git');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
    throw new CreateError(
      `${folder} can't be used: ${wordsOf(error)}. Give another one with --dir.`,
      { cause: error },
    );
  }
  if (found.length === 0) return false;
  throw new CreateError(
    `${folder} is not empty (${found.slice(0, 3).join(', ')}${found.length > 3 ? ', ...' : ''}). ` +
      'Give another folder with --dir, or empty this one.',
  );
}

async function filesOf(names: DriverNames, packageName: string): Promise<[string, string][]> {
  const entries = await readdir(TEMPLATE, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const ranges = await rangesOfOurs();
  return Promise.all(
    paths.toSorted().map(async (path): Promise<[string, string]> => {
      const text = await readFile(path, 'utf8');
      return [
        named(fileName(relative(TEMPLATE, path)), names, packageName),
        named(withRanges(text, ranges), names, packageName),
      ];
    }),
  );
}

/** npm renames or leaves out some files on the way to a package, so these have other names in it. */
function fileName(path: string): string {
  return path.replace(/^_(?=git)/, '.').replace(/^_(?=package\.json$|tsconfig|README|LICENSE)/, '');
}

function named(text: string, { kebab, camel, pascal }: DriverNames, packageName: string): string {
  return text
    .replaceAll('dal-the-vendor', packageName)
    .replaceAll('the-vendor', kebab)
    .replaceAll('theVendor', camel)
    .replaceAll('TheVendor', pascal);
}

function withRanges(text: string, ranges: ReadonlyMap<string, string>): string {
  return text.replaceAll(
    /"(@dal\/\w+)": "\*"/g,
    (all, name: string) => `"${name}": "${ranges.get(name) ?? '*'}"`,
  );
}

/** The packages that this one was tested with; a published manifest has their versions. */
async function rangesOfOurs(): Promise<ReadonlyMap<string, string>> {
  const { devDependencies = {} } = JSON.parse(await readFile(OWN_MANIFEST, 'utf8')) as {
    devDependencies?: Record<string, string>;
  };
  return new Map(
    Object.entries(devDependencies).filter(([, range]) => !range.startsWith('workspace:')),
  );
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
