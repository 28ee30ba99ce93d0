/** The fields of an entity; the table has system columns besides. */
export interface Person {
  readonly name: string;
  readonly email: string;
  readonly city: string;
  readonly visits: number;
  readonly active: boolean;
  readonly seen: Date;
  readonly tags: readonly string[];
}

/** A whole entity, as a library answers it. */
export type Found = { readonly id: string } & Person;

/**
 * One library with the ways that it has to save and find entities. What it does no better than under
 * another name is left out.
 */
export interface EntityContender {
  readonly name: string;
  /** What keeps the older versions of an entity. */
  readonly history: 'itself' | 'sequelize-temporal' | 'nothing';
  /** Its own table, which has the same columns as those of the others. */
  readonly table: string;
  /** A new entity; answers its id. */
  readonly save: (person: Person) => Promise<string>;
  /** Reads one, sets its visits and saves it; answers the visits that it has then. */
  readonly change: (id: string, visits: number) => Promise<number>;
  readonly get?: (id: string) => Promise<Found | null | undefined>;
  /** All in a city that are not deleted, by id. */
  readonly find?: (city: string) => Promise<readonly Found[]>;
  /** New entities, all or none. */
  readonly saveMany: (people: readonly Person[]) => Promise<unknown>;
}

/** Where a contender works. */
export interface EntityPlace {
  readonly engine: EntityEngine;
  readonly url: string;
  readonly table: string;
}

/** Not all of the libraries run on SQLite without building something. */
export const ENTITY_ENGINES = ['postgres', 'mysql', 'mariadb'] as const;

export type EntityEngine = (typeof ENTITY_ENGINES)[number];

/** The address as libraries know it that have one client for both. */
export function plainUrl({ url }: EntityPlace): string {
  return url.replace(/^mariadb:/, 'mysql:');
}

export type OpenEntityContender = (
  place: EntityPlace,
  opened: AsyncDisposableStack,
) => EntityContender | Promise<EntityContender>;

/** So many people are there to be read; the cities have a hundred each. */
export const PEOPLE = 1_000;
export const IN_CITY = 100;

export function person(number: number): Person {
  return {
    name: `Person number ${number}`,
    email: `person-${number}@example.com`,
    city: cityOf(number),
    visits: number * 7,
    active: number % 3 !== 0,
    seen: new Date(Date.UTC(2024, 0, 1) + number * 61_001),
    tags: ['member', `group-${number % 5}`],
  };
}

export function people(count: number): Person[] {
  return Array.from({ length: count }, (_, at) => person(at + 1));
}

export function cityOf(number: number): string {
  return `City ${number % (PEOPLE / IN_CITY)}`;
}

/** Of the people who are there from the beginning. */
export function idOf(number: number): string {
  return `person-${String(number).padStart(5, '0')}`;
}
