import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ConfigError, type Database } from '@dal/core';
import { isLoopback } from './access.ts';
import { type ConsoleHandler, makeHandler } from './console-handler.ts';
import { type ConsoleOptions, readConsoleOptions } from './console-options.ts';

export interface ConsoleServerOptions extends ConsoleOptions {
  /** The address to listen at. Another one than this machine's own needs `authorize`. Default: `127.0.0.1`. */
  readonly host?: string;
  /** 0: any that is free. Default: 7878. */
  readonly port?: number;
}

/** A server for the console alone. It does not keep the program alive. */
export interface ConsoleServer {
  /** Where the page is. */
  readonly url: string;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Serves the console at an address of its own, for programs that have no web server.
 *
 * @throws ConfigError `DAL_CONSOLE_OPEN` for an address that others can reach, without `authorize`
 */
export async function startConsole(options: ConsoleServerOptions = {}): Promise<ConsoleServer> {
  const { server, ...rest } = await listen(options);
  server.unref();
  return rest;
}

/** @param database whose server is asked what other programs run there */
export async function listen(
  { host = '127.0.0.1', port = 7878, ...options }: ConsoleServerOptions,
  database?: Database,
): Promise<ConsoleServer & { readonly server: Server }> {
  const settings = readConsoleOptions(options);
  if (!settings.authorize && !isLoopback(host)) {
    throw new ConfigError(
      `The console shows what a program does, and ${JSON.stringify(host)} is an address that others can reach. Give it authorize, or leave it at 127.0.0.1.`,
      { kind: 'usage', code: 'DAL_CONSOLE_OPEN' },
    );
  }
  const handler = makeHandler(settings, database);
  const server = createServer((request, response) => void handler(request, response));
  try {
    await open(server, host, port);
  } catch (error) {
    handler.close();
    throw error;
  }
  const close = (): Promise<void> => shut(server, handler);
  const { address, family, port: taken } = server.address() as AddressInfo;
  const shown = family === 'IPv6' ? `[${address}]` : address;
  return {
    server,
    url: `http://${shown}:${taken}${settings.path}/`,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function open(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function shut(server: Server, handler: ConsoleHandler): Promise<void> {
  handler.close();
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
