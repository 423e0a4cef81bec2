// Checks of imports: folders, layers, cycles, unused files, the ports, the foreign library.

import { posix } from 'node:path';
import {
  BUILT_IN_MODULE_FILE,
  ENTRIES,
  FIXTURE_FOLDERS,
  FOLDERS,
  FOREIGN_LIBRARY,
  LAYERS,
  PORT_MODULES,
  PORT_NAMES,
  PORTS,
  PURE_NAMES,
  SPEC_TOOLS,
} from './rules.ts';
import { type Import, importsOf, isScript, lineAt, type Source } from './source.ts';

/** A layer imports what lies below it. */
export function layers(file: Source): readonly string[] {
  const from = layerName(file.path);
  const layer = LAYERS[from];
  if (layer === undefined) return [`${file.path}: its folder has no rank in spec/tidy/rules.ts`];
  const problems: string[] = [];
  for (const one of importsOf(file)) {
    const target = resolved(file.path, one);
    if (target === '') continue;
    const to = layerName(target);
    const place = `${file.path}:${one.line}`;
    if (!target.startsWith('src/')) problems.push(`${place}: ${target} does not ship`);
    else if (!mayImport(from, to)) problems.push(`${place}: ${from} does not import ${to}`);
  }
  return problems;
}

/** A folder of the project imports those that the table lists, and itself. */
export function folders(file: Source): readonly string[] {
  const from = file.path.split('/')[0] ?? '';
  const allowed = FOLDERS[from];
  if (allowed === undefined) return [`${file.path}: its folder is not in FOLDERS of rules.ts`];
  return importsOf(file).flatMap((one) => {
    const to = resolved(file.path, one).split('/')[0] ?? '';
    if (to === '' || to === '..' || to === from || allowed.includes(to)) return [];
    return [`${file.path}:${one.line}: ${from} does not import ${to}`];
  });
}

/** A file of spec/ is a test, or lies in a folder for what tests use. */
export function specFiles(file: Source): readonly string[] {
  const { path } = file;
  const isTool = Object.keys(SPEC_TOOLS).some((start) => path.startsWith(start));
  const isFixture = path.split('/').some((folder) => FIXTURE_FOLDERS[folder] !== undefined);
  if (path.endsWith('.test.ts') || isTool || isFixture) return [];
  const names = Object.keys(FIXTURE_FOLDERS).join('/ or ');
  return [`${path}: no test; move it to ${names}/ next to the tests that use it`];
}

/** Files of the project are imported by their real names. */
export function spelling(file: Source): readonly string[] {
  return importsOf(file)
    .filter(({ specifier, isUrl }) => /^\.\.?(\/|$)/.test(specifier) && !isUrl)
    .filter(({ specifier }) => !/\.ts$|\.mjs$|\.json$/.test(specifier))
    .map(({ specifier, line }) => `${file.path}:${line}: '${specifier}' does not end in .ts`);
}

export function ports(file: Source): readonly string[] {
  if (Object.keys(PORTS).some((port) => file.path.startsWith(port))) return [];
  const problems: string[] = [];
  for (const { specifier, names, typeOnly, line } of importsOf(file)) {
    const module = PORT_MODULES.find((name) => `${specifier}/`.startsWith(`${name}/`));
    if (module === undefined || typeOnly) continue;
    const pure = PURE_NAMES[specifier] ?? [];
    if (names.length > 0 && names.every((name) => pure.includes(name))) continue;
    problems.push(`${file.path}:${line}: only a port imports ${module}`);
  }
  for (const [name, pattern] of PORT_NAMES) {
    const at = file.code.search(pattern);
    if (at >= 0) problems.push(`${file.path}:${lineAt(file.code, at)}: only a port uses ${name}`);
  }
  return problems;
}

/** The oldest versions of Node that are supported lack the function which loads them by name. */
export function builtInModules(file: Source): readonly string[] {
  if (file.path === BUILT_IN_MODULE_FILE) return [];
  const at = file.code.search(/\bgetBuiltinModule\b/);
  if (at < 0) return [];
  return [`${file.path}:${lineAt(file.code, at)}: use builtInModule() of ${BUILT_IN_MODULE_FILE}`];
}

export function foreignLibrary(file: Source): readonly string[] {
  if (file.path === FOREIGN_LIBRARY.file) return [];
  return importsOf(file)
    .filter(({ specifier }) => `${specifier}/`.startsWith(`${FOREIGN_LIBRARY.name}/`))
    .map(({ line }) => `${file.path}:${line}: only ${FOREIGN_LIBRARY.file} knows the library`);
}

/** Scripts that a file starts by their URL exist: nothing else would notice a stale path. */
export function startedScripts(files: readonly Source[]): readonly string[] {
  const known = new Set(files.map(({ path }) => path));
  return files
    .filter(({ path }) => isScript(path))
    .flatMap((file) =>
      importsOf(file)
        .filter(({ isUrl, specifier }) => isUrl && specifier.endsWith('.js'))
        .map((one) => ({ line: one.line, target: resolved(file.path, one) }))
        .filter(({ target }) => !target.startsWith('../') && !known.has(target))
        .map(({ line, target }) => `${file.path}:${line}: ${target} does not exist`),
    );
}

/** Files that import each other, directly or indirectly; imports of types count, too. */
export function cycles(files: readonly Source[]): readonly string[] {
  const graph = graphOf(files);
  const done = new Set<string>();
  const path: string[] = [];
  const problems: string[] = [];
  const visit = (file: string): void => {
    const seenAt = path.indexOf(file);
    if (seenAt >= 0) {
      problems.push(`a cycle: ${[...path.slice(seenAt), file].join(' -> ')}`);
      return;
    }
    if (done.has(file)) return;
    path.push(file);
    for (const target of graph.get(file) ?? []) visit(target);
    path.pop();
    done.add(file);
  };
  for (const file of graph.keys()) visit(file);
  return problems;
}

/** Files of src/ that cannot be reached from where the package or a process begins. */
export function deadFiles(files: readonly Source[]): readonly string[] {
  const graph = graphOf(files);
  const reached = new Set<string>();
  const visit = (file: string): void => {
    if (reached.has(file)) return;
    reached.add(file);
    for (const target of graph.get(file) ?? []) visit(target);
  };
  for (const entry of ENTRIES) visit(entry);
  return files
    .filter(({ path }) => /^src\/.*\.ts$/.test(path) && !reached.has(path))
    .map(({ path }) => `${path}: nothing that ships imports it`);
}

/** A file that begins with `// Hot:` names its benchmark. */
export function hotFiles(files: readonly Source[]): readonly string[] {
  const known = new Set(files.map(({ path }) => path));
  const problems: string[] = [];
  for (const { path, lines } of files) {
    const opening = /^((#!.*|\/\/.*)\n)*/.exec(lines.join('\n'))?.[0] ?? '';
    if (!path.startsWith('src/') || !/^\/\/ Hot:/m.test(opening)) continue;
    const named = /\bperf\/micro\/[\w./-]+\.ts\b/.exec(opening)?.[0];
    if (named === undefined) problems.push(`${path}: hot, but names no file of perf/micro/`);
    else if (!known.has(named)) problems.push(`${path}: hot, but ${named} does not exist`);
  }
  return problems;
}

function layerName(path: string): string {
  return path.split('/')[1] ?? '';
}

function mayImport(from: string, to: string): boolean {
  if (from === to) return true;
  const layer = LAYERS[from];
  const target = LAYERS[to];
  if (layer === undefined || target === undefined) return false;
  if (layer.also?.includes(to)) return true;
  if (layer.only !== undefined) return layer.only.includes(to);
  return target.rank < layer.rank;
}

/** The imported file of the project, '' for a package or a folder. A script is its source. */
function resolved(path: string, { specifier, isUrl }: Import): string {
  if (!isUrl && !/^\.\.?\//.test(specifier)) return '';
  const target = posix.join(posix.dirname(path), specifier).replace(/\.js$/, '.ts');
  return target.endsWith('.ts') ? target : '';
}

function graphOf(files: readonly Source[]): ReadonlyMap<string, readonly string[]> {
  const graph = new Map<string, readonly string[]>();
  for (const file of files) {
    if (!isScript(file.path)) continue;
    const targets = importsOf(file).map((one) => resolved(file.path, one));
    graph.set(
      file.path,
      targets.filter((target) => target !== ''),
    );
  }
  return graph;
}
