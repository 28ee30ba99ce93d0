import { existsSync, globSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import {
  CompilerState,
  Extractor,
  ExtractorConfig,
  ExtractorLogLevel,
} from '@microsoft/api-extractor';
import { entryPoints, publishedPackages, type PublishedPackage } from './published-packages.ts';

/** How `reportApis` deals with a report that is no longer true. */
export interface ReportOptions {
  /** Writes the reports instead of only comparing them. @default false */
  readonly write?: boolean;
}

/**
 * Compares what each entry point offers with the report of it that is committed, in the package's
 * folder `api`. The packages must be built.
 *
 * @returns one sentence for every report that is missing, no longer true, or no longer needed
 */
export async function reportApis(
  root: string,
  { write = false }: ReportOptions = {},
): Promise<string[]> {
  const packages = publishedPackages(root);
  const problems = packages
    .flatMap(entryPoints)
    .filter(({ types }) => !existsSync(types))
    .map(({ types }) => `${relative(root, types)} is not there: run \`pnpm build\``);
  const configs = await Promise.all(packages.map((one) => configsFor(root, one)));
  const [first, ...others] = configs.flat();
  if (first === undefined) return problems;
  // One program for all: most of the time goes into reading the same declarations.
  const compilerState = CompilerState.create(first, {
    additionalEntryPoints: others.map((config) => config.mainEntryPointFilePath),
  });

  if (write)
    await Promise.all(
      packages.map(({ folder }) => mkdir(join(folder, 'api'), { recursive: true })),
    );
  for (const config of [first, ...others]) {
    const path = relative(root, config.reportFilePath);
    const { apiReportChanged, errorCount } = Extractor.invoke(config, {
      compilerState,
      localBuild: write,
      printApiReportDiff: !write,
      messageCallback(message) {
        message.handled = true;
        const { logLevel, messageId, text } = message;
        if (messageId === 'console-api-report-diff') problems.push(text.trimEnd());
        else if (logLevel === ExtractorLogLevel.Error) problems.push(`${path}: ${text}`);
      },
    });
    if (errorCount > 0) problems.push(`${path} could not be made`);
    else if (apiReportChanged && !write) problems.push(`${path} does not say what is offered now`);
  }

  for (const published of packages) {
    const needed = entryPoints(published).map(({ short }) => `${short}.api.md`);
    for (const file of globSync('api/*.api.md', { cwd: published.folder })) {
      if (needed.includes(basename(file))) continue;
      const path = join(published.folder, file);
      if (write) await rm(path);
      else problems.push(`${relative(root, path)} belongs to no entry point`);
    }
  }
  return problems;
}

async function configsFor(root: string, published: PublishedPackage): Promise<ExtractorConfig[]> {
  const { folder } = published;
  const entries = entryPoints(published).filter(({ types }) => existsSync(types));
  if (entries.length === 0) return [];
  const reportTempFolder = join(root, 'node_modules', '.cache', 'api', basename(folder));
  await mkdir(reportTempFolder, { recursive: true });
  return entries.map(({ short, types }) =>
    ExtractorConfig.prepare({
      packageJsonFullPath: join(folder, 'package.json'),
      configObjectFullPath: undefined,
      configObject: {
        projectFolder: folder,
        mainEntryPointFilePath: types,
        newlineKind: 'lf',
        compiler: { overrideTsconfig: { compilerOptions: STRANGERS_OPTIONS, files: [types] } },
        apiReport: {
          enabled: true,
          reportFolder: join(folder, 'api'),
          reportTempFolder,
          reportFileName: short,
          includeForgottenExports: true,
        },
        docModel: { enabled: false },
        dtsRollup: { enabled: false },
        tsdocMetadata: { enabled: false },
        messages: {
          extractorMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
          tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
        },
      },
    }),
  );
}

/** Declarations as those read them who install the packages: without the sources' condition. */
const STRANGERS_OPTIONS = {
  target: 'es2023',
  lib: ['es2024', 'esnext.disposable', 'esnext.decorators'],
  module: 'nodenext',
  types: ['node'],
  strict: true,
  skipLibCheck: true,
};

if (import.meta.main) {
  const write = process.argv.includes('--write');
  const problems = await reportApis(resolve(import.meta.dirname, '../..'), { write });
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) {
    console.error('api: the public API changed: run `pnpm api` and look at the diff');
    process.exitCode = 1;
  } else console.log(`api: every report ${write ? 'is written' : 'says what is offered'}`);
}
