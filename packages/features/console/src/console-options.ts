import type { IncomingMessage } from 'node:http';
import { ConfigError, flag, type OptionReader, readOptions } from '@dal/core';

/** `false`: refused. `'look'`: may see the page. `'act'`: may also stop statements. */
export type ConsoleAccess = false | 'look' | 'act';

export interface ConsoleOptions {
  /**
   * Who may see the page, asked for every request: the place to look at a session or a header. With
   * it the console answers to every address. What it throws is a refusal. Default: whoever is on this
   * machine may look, and nobody else.
   */
  readonly authorize?: (request: IncomingMessage) => ConsoleAccess | Promise<ConsoleAccess>;
  /**
   * Without `authorize`: whoever is on this machine may also stop statements. `authorize` says it for
   * each request instead. Default: false.
   */
  readonly actions?: boolean;
  /** Where it is mounted, such as `/dal`; of no account where a router takes that away. Default: `/`. */
  readonly path?: string;
}

export interface ConsoleSettings {
  readonly authorize: ConsoleOptions['authorize'];
  readonly actions: boolean;
  /** Without a slash at its end: '' for the root. */
  readonly path: string;
}

/** @throws ConfigError that names the option */
export function readConsoleOptions(options: ConsoleOptions): ConsoleSettings {
  const {
    authorize,
    actions = false,
    path = '',
  } = readOptions('consoleHandler', { ...options }, readers);
  if (authorize && options.actions !== undefined) {
    throw new ConfigError(
      'consoleHandler.actions is for a console without authorize. Let authorize answer "act" for those who may stop statements.',
      { kind: 'usage', code: 'DAL_CONFIG_VALUE' },
    );
  }
  return { authorize, actions, path };
}

const hook: OptionReader<NonNullable<ConsoleOptions['authorize']>> = (value, where) => {
  if (typeof value === 'function') return value as NonNullable<ConsoleOptions['authorize']>;
  throw new ConfigError(`${where} must be a function of the request.`, {
    kind: 'usage',
    code: 'DAL_CONFIG_VALUE',
  });
};

const mountPath: OptionReader<string> = (value, where) => {
  if (typeof value === 'string' && /^\/[\w\-./~]*$/.test(value)) return value.replace(/\/+$/, '');
  throw new ConfigError(`${where} must be a path such as "/dal".`, {
    kind: 'usage',
    code: 'DAL_CONFIG_VALUE',
  });
};

const readers = {
  authorize: hook,
  actions: flag,
  path: mountPath,
} satisfies Record<keyof ConsoleOptions, unknown>;
