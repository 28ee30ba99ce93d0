import { ConnectionError, type ServerHistory, type ServerRole } from '@dal/core';
import { mariadbHistory, mysqlHistory } from './gtid-history.ts';

/** Asks the server; answers the rows as lists. */
type Ask = (text: string) => Promise<readonly unknown[]>;

const VARIABLES =
  "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('read_only', 'super_read_only', 'innodb_read_only', 'wsrep_on', 'group_replication_group_name', 'gtid_mode', 'gtid_domain_id')";
const GALERA = "SHOW GLOBAL STATUS WHERE Variable_name = 'wsrep_ready'";
// Not among the variables: those are cut off when they are long.
const EXECUTED = 'SELECT @@GLOBAL.gtid_executed';
const POSITIONS =
  'SELECT @@GLOBAL.gtid_current_pos, @@GLOBAL.gtid_binlog_state, @@GLOBAL.gtid_slave_pos';
const MEMBER =
  'SELECT MEMBER_STATE FROM performance_schema.replication_group_members WHERE MEMBER_ID = @@server_uuid';

/**
 * What the server is now. A replica is told by its read-only settings, which every way of replication
 * needs; MySQL has no other word for it. Rejects for a member of a cluster that can't serve.
 */
export async function readRole(ask: Ask): Promise<ServerRole> {
  const variables = new Map(
    ((await ask(VARIABLES)) as [string, string][]).map(([name, value]) => [
      name.toLowerCase(),
      value,
    ]),
  );
  if (isOn(variables.get('wsrep_on'))) {
    const [status] = (await ask(GALERA)) as [string, string][];
    if (status && !isOn(status[1])) throw notReady('this node of the cluster is not synchronized');
  }
  if (variables.get('group_replication_group_name')) {
    const state = await memberState(ask);
    // OFFLINE is a member that was never told to join, and serves by itself.
    if (state !== undefined && state !== 'ONLINE' && state !== 'OFFLINE') {
      throw notReady(`this member of the group is ${state}`);
    }
  }
  const isReadOnly = ['read_only', 'super_read_only', 'innodb_read_only'].some((name) =>
    isOn(variables.get(name)),
  );
  const history = await readHistory(ask, variables);
  return { writable: !isReadOnly, standby: isReadOnly, ...(history ? { history } : {}) };
}

/** Only with GTIDs, which MariaDB always has; in a Galera cluster each of its nodes counts for itself. */
async function readHistory(
  ask: Ask,
  variables: ReadonlyMap<string, string>,
): Promise<ServerHistory | undefined> {
  if (variables.get('gtid_mode') === 'ON') {
    const [row] = (await ask(EXECUTED)) as [string][];
    return mysqlHistory(row?.[0] ?? '');
  }
  if (!variables.has('gtid_domain_id') || isOn(variables.get('wsrep_on'))) return undefined;
  const [row] = (await ask(POSITIONS)) as [string, string, string][];
  const [current = '', ...seen] = row ?? [];
  return mariadbHistory(current, seen);
}

async function memberState(ask: Ask): Promise<string | undefined> {
  try {
    const [row] = (await ask(MEMBER)) as [string][];
    return row?.[0];
  } catch {
    // Not every user may look there; the read-only settings tell the rest.
    return undefined;
  }
}

/** MariaDB has more words than ON for `read_only`. */
function isOn(value: string | undefined): boolean {
  return value !== undefined && value !== 'OFF' && value !== '0' && value !== '';
}

function notReady(why: string): ConnectionError {
  return new ConnectionError(`The server can't serve: ${why}.`, {
    code: 'DAL_NOT_READY',
    fault: { kind: 'notReady', applied: 'no' },
  });
}
