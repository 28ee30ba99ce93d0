/**
 * Reads database options from environment variables: `DATABASE_URL`, `DATABASE_HOST`,
 * `DATABASE_APPLICATION_NAME` become `url`, `host`, `applicationName`; `DATABASE_POOL_MAX` becomes
 * `pool: { max }`. Whole numbers become numbers. Empty variables count as absent; unknown names are
 * refused later, where every option is checked.
 */
export function optionsFromEnvironment(
  prefix = 'DATABASE',
  env: Readonly<Record<string, string | undefined>> = process.env,
): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  const pool: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith(`${prefix}_`) || !value) continue;
    const words = name.slice(prefix.length + 1).toLowerCase();
    // A password or a name of digits is still a text.
    const isText = /password|user|database|name|host|url/.test(words);
    const read = !isText && /^\d{1,15}$/.test(value) ? Number(value) : value;
    if (words.startsWith('pool_')) pool[camelCase(words.slice(5))] = read;
    else options[camelCase(words)] = read;
  }
  return Object.keys(pool).length > 0 ? { ...options, pool } : options;
}

function camelCase(words: string): string {
  return words.replaceAll(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
