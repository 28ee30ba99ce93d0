import {
  abortSignal,
  type BeginOptions,
  type Deadline,
  deadlineAfter,
  duration,
  flag,
  integer,
  readOptions,
  text,
  type TransactionMessage,
  type TransactionOptions,
  wrongOption,
} from '@dal/core';

/** The options of a transaction, checked; its deadline runs from here on. */
export interface TransactionSettings {
  readonly how: BeginOptions;
  readonly retries: number;
  /** For everything from `acquire` to `COMMIT`, retries included. */
  readonly deadline: Deadline;
  readonly strictConcurrency: boolean;
  readonly strictDdl: boolean;
  /** What those who listen are told of it. */
  readonly message: TransactionMessage | undefined;
}

const readers = {
  isolation: text,
  readOnly: flag,
  deferrable: flag,
  retries: integer(0, 1_000),
  timeoutMs: duration,
  signal: abortSignal,
  strictConcurrency: flag,
  strictDdl: flag,
} satisfies Record<keyof TransactionOptions, unknown>;

/** What others call these options. */
const strangers: Readonly<Record<string, string>> = {
  isolationLevel: 'isolation',
  maxRetries: 'retries',
  attempts: 'retries',
  timeout: 'timeoutMs',
  accessMode: 'readOnly',
};

/**
 * @param call what it is made for, for those who listen
 * @throws ConfigError that names the option; nothing was sent then
 */
export function readTransactionOptions(
  options: TransactionOptions = {},
  call?: Deadline['call'],
): TransactionSettings {
  if (typeof options !== 'object' || options === null) {
    throw wrongOption('The second argument of transaction()', 'an object of options', options);
  }
  const known = readOptions('the options of a transaction', { ...options }, readers, strangers);
  const { isolation, readOnly, deferrable } = known;
  return {
    how: {
      ...(isolation === undefined ? {} : { isolation }),
      ...(readOnly === undefined ? {} : { readOnly }),
      ...(deferrable === undefined ? {} : { deferrable }),
    },
    retries: known.retries ?? 0,
    deadline: deadlineAfter(known.timeoutMs ?? Infinity, known.signal, call),
    strictConcurrency: known.strictConcurrency ?? false,
    strictDdl: known.strictDdl ?? false,
    message: undefined,
  };
}
