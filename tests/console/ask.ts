import { request as httpRequest } from 'node:http';

export interface Answer {
  readonly status: number | undefined;
  readonly text: string;
}

/** `fetch` sets some headers as it likes. */
export function ask(
  url: string,
  headers: Record<string, string> = {},
  { method = 'GET', body = '' } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (piece: string) => (text += piece));
      response.on('end', () => resolve({ status: response.statusCode, text }));
    });
    request.on('error', reject).end(body);
  });
}

/** The word that only the page knows. */
export async function tokenOf(url: string): Promise<string> {
  const { text } = await ask(`${url}/`);
  return /name="dal-token" content="([\w-]+)"/.exec(text)?.[1] ?? '';
}

/** What the stream of a page says, as far as tests look at it. */
export interface Message {
  readonly mayAct: boolean;
  readonly snapshot: {
    readonly verdict: { readonly sentence: string };
    readonly running: readonly {
      readonly id: string;
      readonly text: string;
      readonly kind: string;
    }[];
  };
}

/** Messages of the stream until one is right. */
export async function watchFor(
  url: string,
  isRight: (message: Message) => boolean,
): Promise<Message> {
  const stop = new AbortController();
  const response = await fetch(`${url}/events`, { signal: stop.signal });
  let text = '';
  try {
    for await (const piece of response.body as AsyncIterable<Uint8Array>) {
      text += Buffer.from(piece).toString();
      const messages = text.split('\n\n');
      text = messages.pop() ?? '';
      for (const one of messages) {
        if (!one.startsWith('data: ')) continue;
        const message = JSON.parse(one.slice(6)) as Message;
        if (isRight(message)) return message;
      }
    }
  } finally {
    stop.abort();
  }
  throw new Error('The stream ended.');
}
