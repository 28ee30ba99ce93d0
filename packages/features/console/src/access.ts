import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { ConsoleAccess, ConsoleSettings } from './console-options.ts';

/** What one request may do, or why it is refused. */
export type Verdict = { readonly may: 'look' | 'act' } | { readonly refused: string };

/** Asks the hook; without one, only what surely comes from this machine is let in. */
export async function accessOf(
  request: IncomingMessage,
  { authorize, actions }: ConsoleSettings,
): Promise<Verdict> {
  if (authorize) return answerOf(await ask(authorize, request));
  const { remoteAddress } = request.socket;
  if (!isLoopback(remoteAddress) || isForwarded(request.headers)) {
    return refuse('Only this machine may see it. To let others in, give the console authorize.');
  }
  // A page of a stranger can point its own name at 127.0.0.1; its name gives it away.
  if (!isLoopbackHost(request.headers.host)) {
    return refuse('Ask for it as localhost or 127.0.0.1. Another name needs authorize.');
  }
  return { may: actions ? 'act' : 'look' };
}

/** Whether an action was asked for by our own page: same origin, and the token that only it knows. */
export function isOwnPage({ headers }: IncomingMessage, token: string): boolean {
  const { origin, host } = headers;
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin') return false;
  if (origin === undefined || host === undefined) return false;
  if (!URL.canParse(origin) || new URL(origin).host !== host.toLowerCase()) return false;
  const given = Buffer.from(String(headers['x-dal-token'] ?? ''));
  const wanted = Buffer.from(token);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

/** Whether only this machine can reach a server there. */
export function isLoopback(address: string | undefined): boolean {
  if (address === undefined) return false;
  const plain = address.replace(/^::ffff:/i, '');
  return (
    plain === '::1' || plain === 'localhost' || (isIP(plain) === 4 && plain.startsWith('127.'))
  );
}

function isLoopbackHost(host: string | undefined): boolean {
  if (host === undefined || !URL.canParse(`http://${host}`)) return false;
  return isLoopback(new URL(`http://${host}`).hostname.replace(/^\[(.*)\]$/, '$1'));
}

/** A proxy on this machine speaks for others. */
function isForwarded(headers: IncomingHttpHeaders): boolean {
  return ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'].some((name) => name in headers);
}

async function ask(
  authorize: NonNullable<ConsoleSettings['authorize']>,
  request: IncomingMessage,
): Promise<ConsoleAccess> {
  try {
    return await authorize(request);
  } catch {
    // Whatever went wrong there, it was no yes.
    return false;
  }
}

function answerOf(access: ConsoleAccess): Verdict {
  if (access === 'look' || access === 'act') return { may: access };
  // No clear word of what is allowed is no yes.
  return refuse(
    access
      ? 'You may not see it: authorize answered neither "look" nor "act".'
      : 'You may not see it.',
  );
}

function refuse(refused: string): Verdict {
  return { refused };
}
