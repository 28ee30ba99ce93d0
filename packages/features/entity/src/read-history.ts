import { type Row, wrongOption } from '@dal/core';
import type { CallOptions } from './verb-options.ts';
import { checkId, checkTypeName } from './entity-names.ts';
import type { EntityType } from './entity-type.ts';
import { readType } from './read-types.ts';
import { CallLimits, type Scene } from './scene.ts';
import { typeToRead, withFreshType } from './type-for.ts';
import { rowsOf, type Work } from './work.ts';

export function* readHistory(
  scene: Scene,
  name: string,
  id: string,
  options: CallOptions & { readonly limit?: number; readonly raw?: boolean } = {},
): Work<Row[]> {
  const limits = new CallLimits('history', options, ['limit', 'raw']);
  checkTypeName(name, scene.words);
  checkId(id, name);
  const limit = readCount('limit', options.limit);
  return yield* withFreshType(scene, name, new Map(), limits, function* () {
    const type = yield* freshType(scene, name, limits);
    if (!type) return [];
    const version = scene.words.quote('version');
    const both = versions(scene, type, '');
    const rows = yield* rowsOf(
      {
        text: `${both} ORDER BY ${version} DESC${limit === undefined ? '' : ' LIMIT ?'}`,
        values: limit === undefined ? [id, id] : [id, id, limit],
      },
      limits.question,
    );
    return options.raw ? rows : rows.map((row) => type.versionOf(row));
  });
}

export function* readVersion(
  scene: Scene,
  name: string,
  id: string,
  version: number,
  options: CallOptions & { readonly raw?: boolean } = {},
): Work<Row | undefined> {
  const limits = new CallLimits('version', options, ['raw']);
  checkTypeName(name, scene.words);
  checkId(id, name);
  return yield* withFreshType(scene, name, new Map(), limits, function* () {
    const found = yield* readVersionRow(scene, name, id, version, limits);
    return found && (options.raw ? found.row : found.type.versionOf(found.row));
  });
}

/** One version, whether it is the current one or an older one. */
export function* readVersionRow(
  scene: Scene,
  name: string,
  id: string,
  version: number,
  limits: CallLimits,
): Work<{ readonly type: EntityType; readonly row: Row } | undefined> {
  if (!Number.isSafeInteger(version) || version < 1) {
    throw wrongOption('The version', 'a whole number from 1', version);
  }
  const type = yield* freshType(scene, name, limits);
  if (!type) return undefined;
  const text = versions(scene, type, ` AND ${scene.words.quote('version')} = ?`);
  const [row] = yield* rowsOf({ text, values: [id, version, id, version] }, limits.question);
  return row && { type, row };
}

/** Columns are named here, so a type that has grown since would lack some. */
function* freshType(scene: Scene, name: string, limits: CallLimits): Work<EntityType | undefined> {
  return (yield* readType(scene, name, limits)) ?? (yield* typeToRead(scene, name, limits));
}

/** The older ones and the current one, in one statement: no version is missed or met twice. */
function versions({ words }: Scene, type: EntityType, condition: string): string {
  const id = words.quote('id');
  const of = (table: string): string =>
    `SELECT ${type.columns} FROM ${table} WHERE ${id} = ?${condition}`;
  return `${of(type.historyTable)} UNION ALL ${of(type.table)}`;
}

/** @throws ConfigError */
export function readCount(name: string, count: unknown): number | undefined {
  if (count === undefined) return undefined;
  if (Number.isSafeInteger(count) && (count as number) >= 0) return count as number;
  throw wrongOption(name, 'a whole number from 0', count);
}
