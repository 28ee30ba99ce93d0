/** How each bundler packs a program with everything it needs into one file. */
import { basename, dirname, join } from 'node:path';
import { build as esbuild, type Format } from 'esbuild';
import { build as vite } from 'vite';
import webpack from 'webpack';

export interface Bundle {
  /** Absolute path of the program. */
  readonly program: string;
  /** Absolute path of the file to write. */
  readonly outfile: string;
  /** Packages that stay outside. */
  readonly external: readonly string[];
}

/** Gives back what the bundler warned of. */
export type Bundler = (bundle: Bundle) => Promise<string[]>;

/** By the name of the bundler, with the ending of the file that it writes. */
export const bundlers: Readonly<Record<string, { extension: string; pack: Bundler }>> = {
  'esbuild to an ES module': { extension: 'mjs', pack: (bundle) => withEsbuild(bundle, 'esm') },
  // What esbuild does for Node when nobody says otherwise.
  'esbuild to CommonJS': { extension: 'cjs', pack: (bundle) => withEsbuild(bundle, 'cjs') },
  vite: { extension: 'mjs', pack: withVite },
  webpack: { extension: 'cjs', pack: withWebpack },
};

/** pg and mysql2 are CommonJS: in an ES module esbuild asks for a `require` of the program's own. */
const REQUIRE = `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`;

async function withEsbuild(bundle: Bundle, format: Format): Promise<string[]> {
  const { warnings } = await esbuild({
    entryPoints: [bundle.program],
    outfile: bundle.outfile,
    external: [...bundle.external],
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node22',
    format,
    logLevel: 'silent',
    ...(format === 'esm' ? { banner: { js: REQUIRE } } : {}),
  });
  return warnings.map(({ text }) => text);
}

async function withVite({ program, outfile, external }: Bundle): Promise<string[]> {
  const warnings: string[] = [];
  await vite({
    root: dirname(program),
    configFile: false,
    logLevel: 'silent',
    ssr: { noExternal: true, external: [...external] },
    build: {
      ssr: basename(program),
      outDir: dirname(outfile),
      emptyOutDir: false,
      rolldownOptions: {
        output: { entryFileNames: basename(outfile) },
        onwarn: ({ message }) => void warnings.push(message),
      },
    },
  });
  return warnings;
}

async function withWebpack({ program, outfile, external }: Bundle): Promise<string[]> {
  const stats = await new Promise<webpack.Stats | undefined>((resolve, reject) => {
    webpack(
      {
        mode: 'production',
        target: 'node22',
        context: dirname(program),
        entry: program,
        output: { path: dirname(outfile), filename: basename(outfile) },
        externalsPresets: { node: true },
        externals: Object.fromEntries(external.map((name) => [name, `node-commonjs ${name}`])),
        // Minifying takes most of the time, and esbuild's bundles are.
        optimization: { minimize: false },
      },
      (error, done) => (error === null ? resolve(done) : reject(error)),
    );
  });
  const { errors = [], warnings = [] } = stats?.toJson({ errors: true, warnings: true }) ?? {};
  if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join('\n'));
  return warnings.map(({ message }) => message);
}

/** Where the file of a bundle stands: a folder of its own for each. */
export function outfileOf(home: string, name: string, program: string): string {
  const { extension = 'js' } = bundlers[name] ?? {};
  return join(home, name.replaceAll(' ', '-'), `${basename(program, '.mjs')}.${extension}`);
}
