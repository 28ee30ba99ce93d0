import { jsonFromText, timestampFromText } from '@dal/core';
import type { CellSettings } from './read-cells.ts';
import type { SqliteSettings } from './sqlite-options.ts';

/** All that is needed to read cells to the end; the process of a session only reads numbers. */
export function cellSettings(
  settings: Pick<SqliteSettings, 'integers' | 'decimals' | 'timestamps' | 'json'>,
): CellSettings {
  const { integers, decimals, timestamps, json } = settings;
  return {
    integers,
    decimals,
    timestamp: timestamps === 'date' ? timestampFromText : undefined,
    json: json === 'parsed' ? readJson : undefined,
  };
}

function readJson(text: string): unknown {
  try {
    return jsonFromText(text);
  } catch {
    // SQLite takes any text into a JSON column; a row must be readable all the same.
    return text;
  }
}
