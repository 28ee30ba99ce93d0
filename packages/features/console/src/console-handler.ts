import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Database } from '@dal/core';
import { accessOf, isOwnPage } from './access.ts';
import {
  type ConsoleOptions,
  type ConsoleSettings,
  readConsoleOptions,
} from './console-options.ts';
import { ConsoleWatch } from './console-watch.ts';
import { PageStreams } from './page-streams.ts';
import { PageText } from './page-text.ts';
import { readWishes } from './read-wishes.ts';

/** Answers requests for the page, its stream and its actions; never rejects. */
export interface ConsoleHandler {
  (request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Ends the streams of all open pages and stops looking on. May be called twice. */
  close(): void;
  [Symbol.dispose](): void;
}

/**
 * One page for the people on call, about every pool of this thread: to be mounted in a server, such as
 * `app.use('/dal', consoleHandler())`. It looks on from this call until `close()`.
 *
 * Without `authorize` it answers only to this machine.
 *
 * @throws ConfigError for a wrong option
 */
export function consoleHandler(options: ConsoleOptions = {}): ConsoleHandler {
  return makeHandler(readConsoleOptions(options));
}

/** @param server a database whose server is asked what other programs run there */
export function makeHandler(settings: ConsoleSettings, server?: Database): ConsoleHandler {
  const text = new PageText();
  const watch = new ConsoleWatch(server);
  const streams = new PageStreams(watch);
  const token = randomBytes(24).toString('base64url');
  let closed = false;

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    if (closed) return say(response, 503, 'The console was closed.');
    const place = placeOf(request, settings.path);
    if (place === undefined) return say(response, 404, 'There is nothing here.');
    const verdict = await accessOf(request, settings);
    if ('refused' in verdict) return say(response, 403, verdict.refused);
    const isLook = request.method === 'GET' || request.method === 'HEAD';
    if (isLook !== (place !== '/stop')) {
      response.setHeader('allow', place === '/stop' ? 'POST' : 'GET, HEAD');
      return say(response, 405, 'Not with this method.');
    }
    if (place === '/') return page(request, response);
    if (place === '/events') {
      if (request.method === 'HEAD') return say(response, 200, '');
      if (streams.open(response, verdict.may === 'act')) return undefined;
      return say(response, 503, 'Too many pages are open.');
    }
    if (verdict.may !== 'act') return say(response, 403, 'You may look, but not stop anything.');
    if (!isOwnPage(request, token)) {
      return say(response, 403, 'Not asked for by this page. Load the page again.');
    }
    const ids = await readWishes(request);
    if (ids === undefined) return say(response, 400, 'Not understood.');
    response.setHeader('content-type', 'application/json');
    return say(response, 200, JSON.stringify({ stopped: watch.stop(ids) }));
  };

  const page = (request: IncomingMessage, response: ServerResponse): void => {
    const nonce = randomBytes(16).toString('base64url');
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.setHeader('content-security-policy', policy(nonce));
    response.end(request.method === 'HEAD' ? undefined : text.write(nonce, token));
  };

  const close = (): void => {
    if (closed) return;
    closed = true;
    streams.end();
    watch.end();
  };

  const handler = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      await answer(request, response);
    } catch {
      // The request broke off, or a bug; the program around it goes on in either case.
      if (response.headersSent) response.destroy();
      else say(response, 500, 'That went wrong.');
    }
  };
  return Object.assign(handler, { close, [Symbol.dispose]: close });
}

const HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

function policy(nonce: string): string {
  return [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

/** Which part of the console is asked for, with or without the path that it is mounted at. */
function placeOf({ url = '/' }: IncomingMessage, path: string): string | undefined {
  const asked = url.split('?', 1)[0] ?? '/';
  const inside = path !== '' && (asked === path || asked.startsWith(`${path}/`));
  const rest = (inside ? asked.slice(path.length) : asked) || '/';
  return ['/', '/events', '/stop'].includes(rest) ? rest : undefined;
}

function say(response: ServerResponse, status: number, words: string): void {
  response.statusCode = status;
  if (!response.hasHeader('content-type')) {
    response.setHeader('content-type', 'text/plain; charset=utf-8');
  }
  response.end(words);
}
