import {
  anything,
  oneOf,
  type OptionReader,
  readOptions,
  text,
  wrongOption,
} from './read-options.ts';

/** The words of libpq's `sslmode`, with libpq's meanings. */
export type TlsMode = 'disable' | 'allow' | 'prefer' | 'require' | 'verify-ca' | 'verify-full';

export interface TlsFiles {
  /** Default: `verify-full` when `ca` is given, else `require`. */
  readonly mode?: TlsMode;
  /** Certificates of the authorities to trust, PEM. Default: those of Node. */
  readonly ca?: string | Buffer | readonly (string | Buffer)[];
  /** The client's certificate and key, PEM. */
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly passphrase?: string;
  /** The name to ask for and to check, when it isn't the host. */
  readonly serverName?: string;
}

export type TlsOption = TlsMode | TlsFiles;

/** What goes to `tls.connect`. */
export interface TlsSettings {
  readonly rejectUnauthorized: boolean;
  readonly ca?: string | Buffer | (string | Buffer)[];
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly passphrase?: string;
  readonly servername?: string;
  readonly checkServerIdentity?: () => undefined;
}

const mode = oneOf('disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full');

export const readTls: OptionReader<TlsOption> = (value, where) => {
  if (typeof value === 'string') return mode(value, where);
  if (typeof value !== 'object' || value === null) {
    throw wrongOption(where, 'a mode such as "require", or { mode, ca, cert, key }', value);
  }
  return readOptions(
    where,
    value as Record<string, unknown>,
    { mode, ca: anything, cert: anything, key: anything, passphrase: text, serverName: text },
    { rejectUnauthorized: 'mode', servername: 'serverName' },
  ) as TlsFiles;
};

/**
 * What to try, in order: `false` is a plain line. A driver goes to the next one only when the
 * server refused this way of talking, never when a certificate was wrong.
 *
 * The words mean what libpq means by them (PostgreSQL manual, "SSL Support", table of sslmode):
 * `require` encrypts and checks nothing unless a CA is given, `verify-ca` checks the chain,
 * `verify-full` the name too.
 */
export function tlsAttempts(option: TlsOption, host: string): readonly (false | TlsSettings)[] {
  const files: TlsFiles = typeof option === 'string' ? { mode: option } : option;
  const word = files.mode ?? (files.ca === undefined ? 'require' : 'verify-full');
  const settings = tlsSettings(files, word, host);
  switch (word) {
    case 'disable':
      return [false];
    case 'allow':
      return [false, settings];
    case 'prefer':
      return [settings, false];
    default:
      return [settings];
  }
}

function tlsSettings(files: TlsFiles, word: TlsMode, host: string): TlsSettings {
  // libpq: "require" with a root certificate at hand behaves like verify-ca.
  const checksChain =
    word === 'verify-ca' ||
    word === 'verify-full' ||
    (word === 'require' && files.ca !== undefined);
  const name = files.serverName ?? (/^[\d.]+$|:|^\//.test(host) ? undefined : host);
  return {
    rejectUnauthorized: checksChain,
    ...(files.ca === undefined ? {} : { ca: Array.isArray(files.ca) ? [...files.ca] : files.ca }),
    ...(files.cert === undefined ? {} : { cert: files.cert }),
    ...(files.key === undefined ? {} : { key: files.key }),
    ...(files.passphrase === undefined ? {} : { passphrase: files.passphrase }),
    ...(name === undefined ? {} : { servername: name }),
    ...(word === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
  } as TlsSettings;
}
