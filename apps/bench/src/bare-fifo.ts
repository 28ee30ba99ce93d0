/** What a pool can't do without: a list of the idle and a queue of those who wait. Nothing else. */
export class BareFifo<Resource> {
  readonly #idle: Resource[];
  readonly #waiting: ((resource: Resource) => void)[] = [];

  constructor(resources: readonly Resource[]) {
    this.#idle = [...resources];
  }

  acquire(): Promise<Resource> {
    const resource = this.#idle.pop();
    if (resource !== undefined) return Promise.resolve(resource);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  release(resource: Resource): void {
    const next = this.#waiting.shift();
    if (next) next(resource);
    else this.#idle.push(resource);
  }
}
