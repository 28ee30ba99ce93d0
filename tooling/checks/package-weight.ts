import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { entryPoints, type PublishedPackage } from './published-packages.ts';

/** What a package costs those who install and load it. */
export interface Weight {
  /** Bytes of all files in the tarball. */
  readonly unpackedBytes: number;
  /** Bytes of its own code, bundled and minified; all other packages are left out. */
  readonly bundledBytes: number;
  /** Modules that are loaded when it is imported: its own and those of all that it imports. */
  readonly modules: number;
  /** CPU time to start Node and import it, with that to start Node alone as 1. */
  readonly importRatio: number;
}

/** The package must be built. Its programs count as files only: nobody imports them. */
export async function weigh(published: PublishedPackage, tarball: string): Promise<Weight> {
  return {
    unpackedBytes: unpackedBytes(readFileSync(tarball)),
    bundledBytes: await bundledBytes(published),
    modules: await loadedModules(published),
    importRatio: await importRatio(published),
  };
}

/** The same again, for the time that a busy machine has spoiled. */
export async function importRatio(published: PublishedPackage): Promise<number> {
  const empty = await timeOf('', published.folder);
  const loaded = await timeOf(importing(published), published.folder);
  return loaded / empty;
}

/** A tar is headers of 512 bytes with the size in octal, each followed by a file in blocks of 512. */
function unpackedBytes(tarball: Buffer): number {
  const tar = gunzipSync(tarball);
  let bytes = 0;
  for (let at = 0; at < tar.length && tar[at] !== 0;) {
    const size = Number.parseInt(tar.toString('latin1', at + 124, at + 135), 8);
    bytes += size;
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return bytes;
}

async function bundledBytes(published: PublishedPackage): Promise<number> {
  const { outputFiles } = await build({
    entryPoints: entryPoints(published).map(({ code }) => code),
    outdir: 'out',
    write: false,
    bundle: true,
    minify: true,
    splitting: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
  });
  return outputFiles.reduce((sum, { contents }) => sum + contents.length, 0);
}

async function loadedModules(published: PublishedPackage): Promise<number> {
  const counting = `
    import { registerHooks } from 'node:module';
    const seen = new Set();
    registerHooks({
      load(url, context, next) {
        if (url.startsWith('file:')) seen.add(url);
        return next(url, context);
      },
    });
    ${importing(published)}
    console.log(seen.size);
  `;
  return Number(await runModule(counting, published.folder));
}

/** What the processor spends, since the clock counts what others do with it too. */
async function timeOf(source: string, folder: string): Promise<number> {
  const telling = `
    ${source}
    const { user, system } = process.cpuUsage();
    console.log(user + system);
  `;
  return Number(await runModule(telling, folder));
}

/** A package knows itself by its name. */
function importing(published: PublishedPackage): string {
  return entryPoints(published)
    .map(({ name }) => `await import(${JSON.stringify(name)});`)
    .join('\n');
}

async function runModule(source: string, folder: string): Promise<string> {
  const { NODE_OPTIONS: _, NODE_COMPILE_CACHE: __, ...env } = process.env;
  const args = ['--input-type=module', '--eval', source];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    cwd: folder,
    env,
  });
  return stdout;
}
