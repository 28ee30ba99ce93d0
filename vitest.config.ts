import { join } from 'node:path';
import { transform } from 'esbuild';
import { configDefaults, defineConfig } from 'vitest/config';
import { ClosingLineReporter } from './tooling/vitest/closing-line-reporter.ts';

const SOURCES = ['@dal/source'];

/**
 * Lowers `@decorator` syntax in tests and examples. Vitest's own transform leaves it standing, and
 * Node cannot run it; packages themselves never use it.
 */
function decorators() {
  return {
    name: 'dal:decorators',
    enforce: 'pre' as const,
    transform: {
      filter: { id: /\.m?ts$/, code: /(?:^|[\s{;])@[\w$(]/m },
      async handler(code: string, id: string) {
        const { code: lowered, map } = await transform(code, {
          loader: 'ts',
          target: 'es2022',
          sourcemap: 'external',
          sourcefile: id,
        });
        return { code: lowered, map };
      },
    },
  };
}

export default defineConfig({
  plugins: [decorators()],
  // Tests read the sources of our packages: no build, no stale dist. The second environment is the
  // one in which vitest loads its global setup.
  ssr: { resolve: { conditions: SOURCES } },
  environments: { __vitest__: { resolve: { conditions: SOURCES } } },
  test: {
    // Two workers: the engines run on the same machine as the tests.
    maxWorkers: 2,
    // Tests start hundreds of programs of this repository: without it, most of their time would go into
    // reading the same sources again.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules', '.cache', 'compiled') },
    setupFiles: ['tooling/vitest/one-clock.ts'],
    reporters: ['default', new ClosingLineReporter()],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['packages/**/src/**/*.test.ts', 'tooling/**/*.test.ts'],
          // Tests of our own tools start whole programs.
          testTimeout: 15_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'engines',
          include: [
            'packages/*/*/test/**/*.test.ts',
            'packages/testing/test/**/*.test.ts',
            'tests/**/*.test.ts',
            'apps/*/test/**/*.test.ts',
          ],
          // It runs where it was made a driver of: under Node's own runner.
          exclude: [...configDefaults.exclude, 'packages/create-driver/template/**'],
          globalSetup: ['tests/setup/start-engines.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
    ],
    coverage: {
      include: ['packages/**/src/**/*.ts'],
      exclude: ['**/*.test.ts'],
    },
  },
});
