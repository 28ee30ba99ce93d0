import type { ObservedPool, ServerIdentity } from '@dal/core';
import { attributeNames, defaultPorts } from './names.ts';
import { type Attributes, SpanKind } from './open-telemetry.ts';
import type { StatementFacts } from './statement-facts.ts';

/** What is said of the same statement on the same server each time. */
interface Said {
  readonly onSpans: Attributes;
  readonly onMetrics: Attributes;
}

/** The attributes of a pool and its server. */
export class KnownPool {
  readonly #pool: ObservedPool;
  #server: ServerIdentity | undefined;
  #ofServer: Attributes = {};
  #ofPool: Attributes = {};
  #said = new WeakMap<StatementFacts, Said>();

  constructor(pool: ObservedPool) {
    this.#pool = pool;
  }

  /** The pool's name may get a number when the pool is first used. */
  get ofPool(): Attributes {
    const { name } = this.#pool;
    if (this.#ofPool[attributeNames.poolName] !== name) {
      this.#ofPool = { [attributeNames.poolName]: name };
    }
    return this.#ofPool;
  }

  get ofServer(): Attributes {
    this.#look();
    return this.#ofServer;
  }

  /** A database in memory is no other system. */
  get kind(): SpanKind {
    const { system, namespace } = this.#pool.server;
    return system === 'sqlite' && namespace === ':memory:' ? SpanKind.INTERNAL : SpanKind.CLIENT;
  }

  /** A span's name where no summary is known. */
  get shortName(): string {
    const { system, namespace, address, port } = this.#pool.server;
    return namespace ?? (address === undefined ? system : `${address}:${port ?? ''}`);
  }

  of(facts: StatementFacts): Said {
    this.#look();
    let said = this.#said.get(facts);
    if (!said) this.#said.set(facts, (said = say(this.#ofServer, facts)));
    return said;
  }

  /** The first connection may know better what its server is. */
  #look(): void {
    const { server } = this.#pool;
    if (server === this.#server) return;
    this.#server = server;
    this.#ofServer = serverAttributes(server);
    this.#said = new WeakMap();
  }
}

/** Pools by what was seen of them; forgotten with them. */
export class KnownPools {
  readonly #pools = new WeakMap<ObservedPool, KnownPool>();

  of(pool: ObservedPool): KnownPool {
    let known = this.#pools.get(pool);
    if (!known) this.#pools.set(pool, (known = new KnownPool(pool)));
    return known;
  }
}

function serverAttributes({ system, namespace, address, port }: ServerIdentity): Attributes {
  const tellsPort = port !== undefined && port !== defaultPorts[system];
  return {
    [attributeNames.system]: system,
    ...(namespace === undefined ? {} : { [attributeNames.namespace]: namespace }),
    ...(address === undefined ? {} : { [attributeNames.serverAddress]: address }),
    ...(tellsPort ? { [attributeNames.serverPort]: port } : {}),
  };
}

function say(server: Attributes, { summary, label, text, procedure }: StatementFacts): Said {
  const of = (given: string | undefined): Attributes =>
    given ? { ...server, [attributeNames.summary]: given } : server;
  return {
    onMetrics: of(label),
    onSpans: {
      ...of(summary),
      ...(text === undefined ? {} : { [attributeNames.text]: text }),
      ...(procedure === undefined ? {} : { [attributeNames.procedure]: procedure }),
    },
  };
}
