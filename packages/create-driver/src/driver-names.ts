import { CreateError } from './create-error.ts';

/** The forms in which a driver's name stands in its files. */
export interface DriverNames {
  /** `sql-server`: files, the URL scheme, the driver's own name. */
  readonly kebab: string;
  /** `sqlServer`: values and functions. */
  readonly camel: string;
  /** `SqlServer`: classes and types. */
  readonly pascal: string;
}

const MAX_LENGTH = 32;
/** They have drivers of DAL's own, which `createDatabase` would find under these words. */
const TAKEN = new Set(['postgres', 'postgresql', 'mysql', 'mariadb', 'sqlite', 'file']);

/** @throws CreateError with a name that would do */
export function driverNames(given: string): DriverNames {
  if (!/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(given) || given.length > MAX_LENGTH) {
    throw new CreateError(
      `A driver is named after its database: small letters, digits and single "-", from a letter on, ` +
        `${MAX_LENGTH} characters at most, such as "oracle" or "sql-server".${meant(likelyName(given))}`,
    );
  }
  if (/^(?:dal|create)-/.test(given)) {
    throw new CreateError(
      `Name the database alone; the package gets its "dal-" by itself.${meant(likelyName(given))}`,
    );
  }
  if (TAKEN.has(given)) {
    throw new CreateError(
      `DAL answers to "${given}:" already, with a driver of its own. ${meant(`my-${given}`).trim()}`,
    );
  }
  const words = given.split('-').map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  const pascal = words.join('');
  return { kebab: given, pascal, camel: pascal.charAt(0).toLowerCase() + pascal.slice(1) };
}

/** @throws CreateError with a name that would do */
export function checkPackageName(given: string): string {
  const fits = /^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/.test(given);
  if (fits && given.length <= 214) return given;
  const [scope, name] = given.startsWith('@') ? given.slice(1).split('/', 2) : [undefined, given];
  const plain = likelyName(name ?? '');
  const likely = scope === undefined ? plain : `@${likelyName(scope)}/${plain}`;
  throw new CreateError(
    `--name is no name of an npm package: small letters, digits, "-", "." and "_", perhaps behind a ` +
      `scope, such as "@acme/dal-oracle".${meant(plain === '' ? '' : likely)}`,
  );
}

function likelyName(given: string): string {
  return given
    .slice(0, 200)
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replace(/^(?:(?:dal|create)-)+/, '')
    .replaceAll(/^[-0-9]+|-+$/g, '')
    .slice(0, MAX_LENGTH);
}

function meant(likely: string): string {
  return likely === '' ? '' : ` Did you mean "${likely}"?`;
}
