import { ConfigError } from '@dal/core';

/**
 * `sqlite:` or `file:`, then a path as the system writes it: `./x.db`, `/x.db`, `///x.db`, `C:\x.db`,
 * or `:memory:`. Options may follow behind a `?`. Percent escapes stand for themselves elsewhere.
 *
 * @throws ConfigError
 */
export function readSqliteUrl(url: string): Record<string, string> {
  const match = /^(?:sqlite|file):([^?#]*)(?:\?(.*))?$/is.exec(url);
  if (!match) {
    throw wrongUrl(
      'begin with "sqlite:" or "file:", and write "?" and "#" in a name as %3F and %23',
    );
  }
  let path = decode(match[1] ?? '');
  if (path === '//:memory:' || path === '///:memory:') path = ':memory:';
  if (path.startsWith('//')) {
    if (!path.startsWith('///')) {
      throw wrongUrl(
        'name no host: two slashes begin one. Write "sqlite:./x.db" or "sqlite:///folder/x.db"',
      );
    }
    path = path.slice(2);
    // file:///C:/x.db
    if (/^\/[A-Za-z]:[\\/]/.test(path)) path = path.slice(1);
  }
  if (path === '') throw wrongUrl('name a file, as in "sqlite:./app.db", or be "sqlite::memory:"');
  return { path, ...Object.fromEntries(new URLSearchParams(match[2] ?? '')) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw wrongUrl('write "%" in a name as %25');
  }
}

function wrongUrl(advice: string): ConfigError {
  return new ConfigError(`The URL of a SQLite database must ${advice}.`, {
    code: 'DAL_CONFIG_URL',
    kind: 'usage',
  });
}
