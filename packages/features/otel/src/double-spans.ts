import { channel } from 'node:diagnostics_channel';
import { createRequire } from 'node:module';

/** By which file of a driver's library its instrumentation is seen. */
const patchable: Readonly<Record<string, RegExp>> = {
  pg: /[\\/]pg[\\/]lib[\\/]client\.js$/,
  mysql2: /[\\/]mysql2[\\/]lib[\\/]base[\\/]connection\.js$/,
};
const libraries: Readonly<Record<string, string>> = {
  postgresql: 'pg',
  mysql: 'mysql2',
  mariadb: 'mysql2',
};
const warned = new Set<string>();

/** Says once a library that somebody else makes spans of the same statements. */
export function warnOfDoubleSpans(system: string): void {
  const library = libraries[system];
  if (library === undefined || warned.has(library) || !isInstrumented(library)) return;
  warned.add(library);
  process.emitWarning(
    `@dal/otel makes spans of every call, and so does an instrumentation of ${library}, without knowing which call or transaction they belong to. Switch that off unless the program uses ${library} without DAL too: @opentelemetry/instrumentation-${library}.`,
    { type: 'TelemetryWarning', code: 'DAL_DOUBLE_SPANS' },
  );
}

function isInstrumented(library: string): boolean {
  return hasPatch(library) || (library === 'mysql2' && isListenedTo());
}

/** Instrumentations put a function around `query` and mark it. */
function hasPatch(library: string): boolean {
  // Every `require` has the same cache, and a bundle may have no URL of its own to make one from.
  const { cache } = createRequire(process.execPath);
  const file = patchable[library] as RegExp;
  return Object.entries(cache).some(
    ([path, module]) => file.test(path) && isWrapped(queryOf(module?.exports)),
  );
}

function queryOf(exports: unknown): unknown {
  return (exports as { prototype?: { query?: unknown } } | undefined)?.prototype?.query;
}

function isWrapped(method: unknown): boolean {
  return (method as { __wrapped?: unknown } | undefined)?.__wrapped === true;
}

function isListenedTo(): boolean {
  return ['query', 'execute'].some(
    (what) => channel(`tracing:mysql2:${what}:start`).hasSubscribers,
  );
}
