import { isDalError } from '@dal/core';
import { checkPathSync } from './check-path.ts';
import { InlineConnection } from './inline-connection.ts';
import { type MemoryState, noticeOpening, type SharedSession } from './memory-state.ts';
import { cellSettings } from './read-texts.ts';
import { failureOf } from './session-messages.ts';
import { Session } from './session.ts';
import { SqliteError } from './sqlite-faults.ts';
import type { SqliteSettings } from './sqlite-options.ts';

/**
 * Opens a session in this thread. A database in memory has one, for its data is in it: who opens it
 * while it is open shares it.
 *
 * @throws ConfigError for a path that can't be opened
 * @throws SqliteError
 */
export function openInline(settings: SqliteSettings): InlineConnection {
  const { memory } = settings;
  if (memory === undefined) {
    checkPathSync(settings);
    return new InlineConnection(openSession(settings), settings);
  }
  memory.shared ??= openShared(settings, memory);
  return new InlineConnection(memory.shared.session, settings, memory.shared);
}

function openShared(settings: SqliteSettings, memory: MemoryState): SharedSession {
  const shared = { session: openSession(settings), users: 0, holder: undefined };
  noticeOpening(memory);
  return shared;
}

function openSession(settings: SqliteSettings): Session {
  try {
    return new Session(settings, cellSettings(settings));
  } catch (error) {
    if (isDalError(error)) throw error;
    throw new SqliteError(failureOf(error));
  }
}
