import { ConfigError, wrongOption } from '@dal/core';
import { kindOfField } from './compare-field.ts';
import type { EngineWords } from './engine-words.ts';
import type { Direction, OrderBy } from './verb-options.ts';
import type { EntityType } from './entity-type.ts';

/** `[field, direction]`, in order. @throws ConfigError for what is neither */
export function readOrder(
  orderBy: OrderBy | undefined,
): readonly (readonly [string, 'ASC' | 'DESC'])[] {
  if (orderBy === undefined) return [];
  if (typeof orderBy === 'string') return [[orderBy, 'ASC']];
  if (!Array.isArray(orderBy))
    throw wrongOption('orderBy', 'a field, [field, direction], or a list of both', orderBy);
  const list = orderBy as readonly unknown[];
  const [first, second] = list;
  const isPair = list.length === 2 && typeof first === 'string' && isDirection(second);
  return (isPair ? [list] : list).map((one) => {
    if (typeof one === 'string') return [one, 'ASC'];
    if (Array.isArray(one) && typeof one[0] === 'string' && one.length <= 2) {
      return [one[0], readDirection(one[1])];
    }
    throw wrongOption('orderBy', 'a field, [field, direction], or a list of both', one);
  });
}

/** @throws ConfigError */
export function readDirection(direction: unknown): 'ASC' | 'DESC' {
  if (direction === undefined) return 'ASC';
  if (isDirection(direction)) return direction.toUpperCase() as 'ASC' | 'DESC';
  throw new ConfigError('The direction of orderBy is "asc" or "desc". Nothing was sent.', {
    kind: 'usage',
    code: 'DAL_ENTITY_DIRECTION',
  });
}

/** ` ORDER BY ...`; the id decides between equals, so that pages have no overlap. */
export function orderClause(
  { quote, dialect }: EngineWords,
  type: EntityType,
  order: readonly (readonly [string, 'ASC' | 'DESC'])[],
): string {
  const terms = order.map(([field, direction]) => {
    kindOfField(type, field);
    const nulls = direction === 'ASC' ? dialect.nullOrder?.first : dialect.nullOrder?.last;
    return `${quote(field)} ${direction}${field === 'id' ? '' : (nulls ?? '')}`;
  });
  if (!order.some(([field]) => field === 'id')) {
    terms.push(`${quote('id')} ${order.at(-1)?.[1] ?? 'ASC'}`);
  }
  return ` ORDER BY ${terms.join(', ')}`;
}

function isDirection(value: unknown): value is Direction {
  return typeof value === 'string' && /^(?:asc|desc)$/i.test(value);
}
