import {
  type Connection,
  ConfigError,
  type Database,
  type Driver,
  type Queryable,
  type StatementOptions,
  TransactionError,
  type Values,
} from '@dal/core';
import { openDatabase } from '@dal/database';
import { carryError, uncarryError } from './carried-error.ts';
import { restoreOption } from './carried-values.ts';
import {
  type Answer,
  type Place,
  type PlainVerb,
  type Request,
  sharedNow,
  type StatementVerb,
} from './messages.ts';
import { resultAnswer, rowsAnswer, valueAnswer } from './make-answer.ts';
import { Scope } from './scope.ts';

type Op<Name extends Request['op']> = Request & { readonly op: Name };
type Rows = readonly unknown[];
/** Asks for a callback to be run on something, or for rows (undefined). */
type CallScope = Scope<Queryable | undefined, Rows | undefined>;

type RunStatement = (text: string, values: Values, options: StatementOptions) => Promise<unknown>;

/**
 * The worker's side of every blocking call. Its databases are ordinary ones, so that deadlines,
 * retries, transactions and errors are exactly those of the awaited calls.
 */
export class RequestServer {
  readonly #places = new Map<Place, Queryable>();
  readonly #scopes = new Map<Place, CallScope>();
  readonly #streams = new Map<Place, AsyncIterator<unknown[]>>();
  /** Of the callbacks that are under way, the innermost last: what is asked for now is asked from there. */
  readonly #contexts: (<T>(work: () => T) => T)[] = [];
  #lastPlace = 0;

  /** Never rejects. */
  async serve(request: Request): Promise<Answer> {
    try {
      const inside = this.#contexts.at(-1);
      return await (inside ? inside(() => this.#serve(request)) : this.#serve(request));
    } catch (error) {
      return { kind: 'error', error: carryError(error), own: false };
    }
  }

  #serve(request: Request): Promise<Answer> {
    switch (request.op) {
      case 'open':
        return this.#open(request);
      case 'close':
        return this.#close(request);
      case 'statement':
        return this.#statement(request);
      case 'executeMany':
        return this.#executeMany(request);
      case 'plain':
        return this.#plain(request);
      case 'enter':
        return this.#enter(request);
      case 'leave':
        return this.#leave(request);
      case 'bulkInsert':
        return this.#bulkInsert(request);
      case 'feed':
        return this.#feed(request);
      case 'stream':
        return this.#stream(request);
      case 'next':
        return this.#next(request);
      case 'stop':
        return this.#stop(request);
    }
  }

  async #open({ module, config, driverOptions }: Op<'open'>): Promise<Answer> {
    const { driver } = (await import(module)) as { readonly driver?: Driver };
    if (driver === undefined) {
      throw new ConfigError(
        'The module that the driver names for blocking calls has no export called "driver".',
        { kind: 'usage', code: 'DAL_DRIVER_INVALID' },
      );
    }
    const options = restoreOption(driverOptions);
    const database = openDatabase({ ...driver, configure: () => options }, config);
    return valueAnswer(this.#add(database));
  }

  async #close({ on }: Op<'close'>): Promise<Answer> {
    const database = this.#at(on) as Database;
    this.#places.delete(on);
    // Who could give back what is lent waits for this very answer.
    await database.close({ force: true });
    return valueAnswer(undefined);
  }

  async #statement(request: Op<'statement'>): Promise<Answer> {
    const { on, verb, text, values } = request;
    const runs = this.#at(on) as Record<StatementVerb, RunStatement>;
    return resultAnswer(verb, await runs[verb](text, values as Values, optionsOf(request)));
  }

  async #executeMany(request: Op<'executeMany'>): Promise<Answer> {
    const on = this.#at(request.on);
    const options = optionsOf(request);
    return this.#begin((ask) => on.executeMany(request.text, rowsOf(ask), options));
  }

  async #plain(request: Op<'plain'>): Promise<Answer> {
    const on = this.#at(request.on) as Database & Connection;
    return valueAnswer(await plainVerbs[request.verb](on, optionsOf(request)));
  }

  async #enter(request: Op<'enter'>): Promise<Answer> {
    const on = this.#at(request.on) as Database;
    const options = optionsOf(request);
    return this.#begin((ask) =>
      request.how === 'connection' ? on.connection(ask, options) : on.transaction(ask, options),
    );
  }

  async #bulkInsert(request: Op<'bulkInsert'>): Promise<Answer> {
    const on = this.#at(request.on);
    const options = optionsOf(request);
    return this.#begin((ask) => on.bulkInsert(request.table, rowsOf(ask), options));
  }

  /** Starts work that asks back, and tells what it comes to first. */
  #begin(
    work: (ask: (asked: Queryable | undefined) => Promise<Rows | undefined>) => Promise<unknown>,
  ): Promise<Answer> {
    const scope: CallScope = new Scope(work);
    this.#scopes.set(++this.#lastPlace, scope);
    return this.#step(this.#lastPlace, scope, undefined);
  }

  async #leave({ scope: place, on, failure }: Op<'leave'>): Promise<Answer> {
    this.#places.delete(on);
    return this.#goOn(place, failure && { error: uncarryError(failure) }, undefined);
  }

  async #feed({ scope: place, failure, rows }: Op<'feed'>): Promise<Answer> {
    return this.#goOn(place, failure && { error: uncarryError(failure) }, rows);
  }

  #goOn(
    place: Place,
    failure: { readonly error: unknown } | undefined,
    rows: Rows | undefined,
  ): Promise<Answer> {
    const scope = this.#scopes.get(place);
    if (scope === undefined) throw gone();
    this.#contexts.pop();
    if (failure) scope.fail(failure.error);
    else scope.give(rows);
    return this.#step(place, scope, failure);
  }

  async #step(
    place: Place,
    scope: CallScope,
    failure: { readonly error: unknown } | undefined,
  ): Promise<Answer> {
    const event = await scope.next();
    if (event.kind === 'asked') {
      this.#contexts.push(event.inside);
      if (event.asked === undefined) return { kind: 'rows', scope: place };
      return { kind: 'run', scope: place, on: this.#add(event.asked) };
    }
    this.#scopes.delete(place);
    if (event.kind === 'ended') return valueAnswer(event.value);
    const { error } = event;
    const own = failure !== undefined && failure.error === error;
    return { kind: 'error', error: carryError(error), own };
  }

  async #stream(request: Op<'stream'>): Promise<Answer> {
    const { on, text, values } = request;
    const stream = this.#at(on).stream(text, values as Values, optionsOf(request));
    this.#streams.set(++this.#lastPlace, stream[Symbol.asyncIterator]());
    return valueAnswer(this.#lastPlace);
  }

  async #next({ stream: place }: Op<'next'>): Promise<Answer> {
    const stream = this.#streams.get(place);
    let done: boolean | undefined = true;
    try {
      const step = await stream?.next();
      done = step?.done;
      if (step === undefined || done) return valueAnswer(undefined);
      const batch = step.value;
      return rowsAnswer(batch);
    } finally {
      if (done !== false) this.#streams.delete(place);
    }
  }

  async #stop({ stream: place }: Op<'stop'>): Promise<Answer> {
    const stream = this.#streams.get(place);
    this.#streams.delete(place);
    await stream?.return?.();
    return valueAnswer(undefined);
  }

  #add(found: Queryable): Place {
    this.#places.set(++this.#lastPlace, found);
    return this.#lastPlace;
  }

  #at(place: Place): Queryable {
    const found = this.#places.get(place);
    if (found) return found;
    throw gone();
  }
}

const plainVerbs: Readonly<
  Record<PlainVerb, (on: Database & Connection, options: object) => Promise<unknown>>
> = {
  connect: (on) => on.connect(),
  ping: (on, options) => on.ping(options),
  isHealthy: (on, options) => on.isHealthy(options),
  version: (on, options) => on.version(options),
  inTransaction: (on) => Promise.resolve(on.inTransaction),
  begin: (on, options) => on.begin(options),
  commit: (on) => on.commit(),
  rollback: (on) => on.rollback(),
};

/** The options with what is left of the call's time. */
function optionsOf<Options extends object>(request: {
  readonly options: Options;
  readonly endsAt: number | undefined;
}): Options & { readonly timeoutMs?: number } {
  const { options, endsAt } = request;
  return endsAt === undefined
    ? options
    : { ...options, timeoutMs: Math.max(1, endsAt - sharedNow()) };
}

async function* rowsOf(
  ask: (asked: undefined) => Promise<Rows | undefined>,
): AsyncGenerator<Values, void, undefined> {
  for (let rows = await ask(undefined); rows !== undefined; rows = await ask(undefined)) {
    yield* rows as Values[];
  }
}

function gone(): TransactionError {
  return new TransactionError('What this call stands on has ended. Nothing was sent.', {
    kind: 'usage',
    code: 'DAL_TRANSACTION_ENDED',
  });
}
