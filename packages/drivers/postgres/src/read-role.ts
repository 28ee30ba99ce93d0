import type { ServerRole } from '@dal/core';
import type { Ask } from './end-session.ts';

/** The timeline grows with every promotion; only a primary has one that can be asked for. */
const ALL =
  "SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.current_setting('transaction_read_only') = 'off', CASE WHEN pg_catalog.pg_is_in_recovery() THEN NULL ELSE pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8) END";
/** For servers that only speak the protocol. */
const LITTLE = 'SHOW transaction_read_only';

/** What the server is now. */
export async function readRole(ask: Ask, isLost: () => boolean): Promise<ServerRole> {
  try {
    const [row] = (await ask(ALL)) as [boolean, boolean, string | null][];
    const [standby, writable, timeline] = row ?? [true, false, null];
    return {
      standby,
      writable: writable && !standby,
      ...(timeline === null ? {} : { generation: Number.parseInt(timeline, 16) }),
    };
  } catch (error) {
    if (isLost()) throw error;
    const [row] = (await ask(LITTLE)) as [string][];
    const writable = row?.[0] === 'off';
    return { writable, standby: !writable };
  }
}
