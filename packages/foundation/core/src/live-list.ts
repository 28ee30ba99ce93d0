/** Something that remembers where it stands in a `LiveList`; -1 when it stands in none. */
export interface Placed {
  place: number;
}

/**
 * The members of something that come and go all the time, in no order. A `Set` would do, but V8 keeps
 * the tables that a `Set` has outgrown, and what was in them, until its next full collection: with a
 * member for every statement that is most of the garbage collector's work.
 */
export class LiveList<T extends Placed> implements Iterable<T> {
  readonly #members: T[] = [];

  get size(): number {
    return this.#members.length;
  }

  add(member: T): void {
    member.place = this.#members.length;
    this.#members.push(member);
  }

  has(member: T): boolean {
    return this.#members[member.place] === member;
  }

  /** False when it was no member. */
  delete(member: T): boolean {
    if (!this.has(member)) return false;
    const last = this.#members.pop() as T;
    if (last !== member) {
      // The last one takes the place that is free now.
      this.#members[member.place] = last;
      last.place = member.place;
    }
    member.place = -1;
    return true;
  }

  /** As it was when the loop began: members may come and go meanwhile. */
  [Symbol.iterator](): IterableIterator<T> {
    return this.#members.slice().values();
  }
}
