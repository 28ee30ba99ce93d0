import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** What a program wrote until it ended. */
export interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a program to its end in the environment of somebody who has never heard of this repository.
 *
 * @param env set on top of that environment
 * @throws {Error} with all of its output when it could not be started or did not end with 0
 */
export async function runAsStranger(
  program: string,
  args: ReadonlyArray<string>,
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Output> {
  // npm, pnpm and tsc are .cmd files on Windows, which only a shell can start.
  const shell = process.platform === 'win32' && program !== process.execPath;
  try {
    return await promisify(execFile)(program, args, {
      cwd,
      env: { ...strangersEnvironment(), ...env },
      shell,
      maxBuffer: 16 * 1024 * 1024,
    });
  } catch (error) {
    const { message, stdout = '', stderr = '' } = error as Error & Partial<Output>;
    throw new Error([message, stdout, stderr].join('\n'), { cause: error });
  }
}

/** Without what `npm test` hands down: a nested npm would take our root for its own project. */
function strangersEnvironment(): NodeJS.ProcessEnv {
  const inherited =
    /^(?:npm_(?:package|lifecycle)_|npm_config_(?:local_prefix|prefix|user_agent)$|NODE_OPTIONS$|NODE_PATH$|VITEST|FORCE_COLOR$|INIT_CWD$)/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !inherited.test(name)));
}
