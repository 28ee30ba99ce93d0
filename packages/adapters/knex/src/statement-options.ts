import type { StatementOptions } from '@dal/core';

/**
 * What a builder's `.options()` means here: the layer's own words (`timeoutMs`, `signal`, `idempotent`,
 * `tags`, `rowMode`), and for the driver's library all others.
 */
export function statementOptions(
  options: Readonly<Record<string, unknown>> = {},
  stop?: AbortSignal,
): StatementOptions {
  const { timeoutMs, signal, idempotent, tags, rowMode, rowsAsArray, ...library } =
    options as StatementOptions & { readonly rowsAsArray?: boolean };
  const signals = [signal, stop].filter((one) => one !== undefined);
  return {
    placeholders: 'native',
    mapping: 'library',
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(signals.length === 0 ? {} : { signal: AbortSignal.any(signals) }),
    ...(idempotent === undefined ? {} : { idempotent }),
    ...(tags === undefined ? {} : { tags }),
    ...(rowMode === 'array' || rowsAsArray === true ? { rowMode: 'array' } : {}),
    ...(Object.keys(library).length === 0 ? {} : { libraryOptions: library }),
  };
}
