import { startFaultProxy } from '@dal/testing/faults';

/** A way to the database that drops when it is told to. SQLite has no line, so nothing can drop. */
export interface BadLine extends AsyncDisposable {
  readonly url: string;
  /** The next answer does not arrive. @returns whether there is a line */
  cut(): boolean;
  mend(): void;
}

export async function openBadLine(url: string): Promise<BadLine> {
  if (url.startsWith('sqlite:')) {
    return { url, cut: () => false, mend: () => undefined, [Symbol.asyncDispose]: async () => {} };
  }
  const { hostname: host, port } = new URL(url);
  const proxy = await startFaultProxy({ host, port: Number(port) });
  return {
    url: proxy.through(url),
    cut() {
      proxy.set({ cut: 'down', afterBytes: 0 });
      return true;
    },
    mend: () => proxy.set('pass'),
    [Symbol.asyncDispose]: () => proxy.close(),
  };
}
