import { showRatio } from '../rounds.ts';
import { table } from '../table.ts';
import type { EntityComparison, EntityResult, EntityVerdict } from './entity.ts';

const tasks: Readonly<Record<EntityComparison['task'], string>> = {
  save: 'a new entity is saved',
  change: 'an entity is read, changed and saved',
  get: 'one entity by its id',
  find: '100 entities by an indexed field',
  saveMany: 'new entities saved together',
};

export function showEntity(comparison: EntityComparison, verdict: EntityVerdict): string {
  const { versions, task, callers, rows, rounds, contenders } = comparison;
  const unit = rows === undefined ? 'call' : 'entity';
  const many = rows === undefined ? '' : `${whole(rows)} `;
  const head = [
    `${callers} ${callers === 1 ? 'caller' : 'callers'}`,
    'history',
    rows === undefined ? 'calls/s' : 'entities/s',
    `client us/${unit}`,
    'DAL / it',
    "DAL's CPU / its",
  ];
  const lines = contenders.map((one, at) => [
    one.name,
    histories[one.history],
    whole(one.perSecond.median),
    one.cpuUs.median.toFixed(1),
    ...(at === 0 ? [] : [showRatio(one.dalSpeed), showRatio(one.dalCpu)]),
  ]);
  const title = `${versions}: ${many}${tasks[task]}, ${rounds} ${rounds === 1 ? 'round' : 'rounds'}`;
  const { aim, got } = verdict;
  return [title, table(head, lines), `aim: ${aim}: ${verdict.verdict}, ${showRatio(got)}`].join(
    '\n',
  );
}

const histories: Readonly<Record<EntityResult['history'], string>> = {
  itself: 'kept',
  'sequelize-temporal': 'sequelize-temporal',
  nothing: 'none',
};

function whole(value: number): string {
  return Math.round(value).toLocaleString('en');
}
