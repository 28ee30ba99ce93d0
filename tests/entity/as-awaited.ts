import type { EntityVerbs } from '@dal/entity';

/** Calls that ask nothing of the database, in both worlds. */
const PIECES = new Set([
  'from',
  'where',
  'orderBy',
  'limit',
  'offset',
  'includeDeleted',
  'collection',
]);

/**
 * The blocking verbs under the types of the awaited ones, so that one suite runs in both worlds. A
 * blocking verb that answers with a promise has not blocked, and is an error here.
 */
export function asAwaited(verbs: EntityVerbs<'blocking'>): EntityVerbs<'awaited'> {
  return awaiting(verbs) as EntityVerbs<'awaited'>;
}

function awaiting(target: object): object {
  return new Proxy(target, {
    get(from, key, receiver) {
      const member: unknown = Reflect.get(from, key, receiver);
      if (typeof member !== 'function' || key === 'toJson') return member;
      const call = (args: unknown[]): unknown => Reflect.apply(member, from, args);
      if (PIECES.has(String(key))) return (...args: unknown[]) => awaiting(call(args) as object);
      return async (...args: unknown[]) => {
        const answer = call(args);
        if (answer instanceof Promise)
          throw new Error(`The blocking ${String(key)} did not block.`);
        return answer;
      };
    },
  });
}
