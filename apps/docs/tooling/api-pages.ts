import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Application,
  type CommentDisplayPart,
  type DeclarationReflection,
  OptionDefaults,
  type ProjectReflection,
  type Reflection,
  ReflectionKind,
  type SignatureReflection,
  type TypeDocOptions,
} from 'typedoc';
import type { PluginOptions } from 'typedoc-plugin-markdown';
import { type PublicPackage, ROOT } from './workspace.ts';

const TAG = '@overridable';

/** A member of a contract that a driver or a program may bring itself. */
export interface OverridableMember {
  /** `Driver.cancel` */
  readonly name: string;
  readonly summary: string;
}

/**
 * Writes one page for each package from its built declarations.
 *
 * @returns the members that may be brought or left out: those with `@overridable`
 */
export async function writeApiPages(
  packages: readonly PublicPackage[],
  folder: string,
): Promise<OverridableMember[]> {
  const entryPoints = packages.flatMap(({ types }) => types.map((path) => join(ROOT, path)));
  const scratch = mkdtempSync(join(tmpdir(), 'dal-api-'));
  try {
    const tsconfig = join(scratch, 'tsconfig.json');
    writeFileSync(tsconfig, JSON.stringify({ compilerOptions, files: entryPoints }));
    const markdown: PluginOptions = {
      entryFileName: 'index',
      excludeScopesInPaths: true,
      hidePageHeader: true,
      hideBreadcrumbs: true,
      useCodeBlocks: true,
      useHTMLAnchors: true,
      useHTMLEncodedBrackets: true,
      sanitizeComments: true,
      parametersFormat: 'table',
      typeAliasPropertiesFormat: 'table',
      interfacePropertiesFormat: 'table',
      classPropertiesFormat: 'table',
      tableColumnSettings: { hideModifiers: true, hideInherited: true, hideOverrides: true },
    };
    const options: TypeDocOptions = {
      entryPoints,
      tsconfig,
      plugin: ['typedoc-plugin-markdown'],
      router: 'module',
      out: folder,
      basePath: ROOT,
      readme: 'none',
      name: 'API',
      logLevel: 'Warn',
      disableSources: true,
      excludePrivate: true,
      excludeInternal: true,
      excludeExternals: true,
      // The build has checked these declarations already.
      skipErrorChecking: true,
      modifierTags: [...OptionDefaults.modifierTags, TAG],
    };
    const app = await Application.bootstrapWithPlugins({ ...options, ...markdown });
    const project = await app.convert();
    if (project === undefined) throw new Error('typedoc could not read the packages');
    nameModules(project, packages);
    removeInherited(project);
    await app.generateOutputs(project);
    if (app.logger.hasErrors()) throw new Error('typedoc reported errors');
    return overridableMembers(project);
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

const compilerOptions = {
  target: 'es2023',
  lib: ['es2024', 'esnext.disposable'],
  module: 'nodenext',
  types: ['node'],
  typeRoots: [join(ROOT, 'node_modules/@types')],
  strict: true,
  skipLibCheck: true,
  noEmit: true,
};

/** Modules are called after the import that leads to them, not after their file. */
function nameModules(project: ProjectReflection, packages: readonly PublicPackage[]): void {
  for (const module of project.children ?? []) {
    const owner = packages.find(({ folder }) => module.name.startsWith(`${folder}/dist`));
    if (owner === undefined) throw new Error(`No package has the module ${module.name}`);
    module.name = owner.name + module.name.slice(`${owner.folder}/dist`.length);
  }
}

/** A page says once what a member does: where it is declared. The others name what they extend. */
function removeInherited(project: ProjectReflection): void {
  const inherited = new Set<Reflection>();
  for (const reflection of project.getReflectionsByKind(ReflectionKind.All)) {
    const member = reflection as DeclarationReflection | SignatureReflection;
    delete member.overwrites;
    if (!member.inheritedFrom) continue;
    inherited.add(member);
    project.removeReflection(member);
  }
  // The groups of a class were made before, and keep what is removed.
  for (const reflection of project.getReflectionsByKind(ReflectionKind.ClassOrInterface)) {
    const type = reflection as DeclarationReflection;
    if (type.groups === undefined) continue;
    for (const group of type.groups) {
      group.children = group.children.filter((child) => !inherited.has(child));
    }
    type.groups = type.groups.filter(({ children }) => children.length > 0);
  }
}

/** What carries the tag itself, and the optional members of interfaces that do. */
function overridableMembers(project: ProjectReflection): OverridableMember[] {
  return project
    .getReflectionsByKind(ReflectionKind.All)
    .filter((reflection) => !reflection.kindOf(ReflectionKind.Interface))
    .filter(
      ({ comment, flags, parent }) =>
        comment?.hasModifier(TAG) || (flags.isOptional && parent?.comment?.hasModifier(TAG)),
    )
    .map((reflection) => ({
      name: `${reflection.parent?.name}.${reflection.name}`,
      summary: textOf(commentOf(reflection as DeclarationReflection)),
    }));
}

/** A method's comment stands at its signature. */
function commentOf(member: DeclarationReflection): readonly CommentDisplayPart[] {
  return member.comment?.summary ?? member.signatures?.[0]?.comment?.summary ?? [];
}

function textOf(parts: readonly CommentDisplayPart[]): string {
  return parts
    .map(({ text }) => text)
    .join('')
    .replaceAll(/\s+/g, ' ');
}
