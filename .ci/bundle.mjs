// Puts the compiled modules that a server needs into one file, dist/vibing.js, which the entries
// hand on. V8 looks an imported name up in its module each time it is used, and knows a constant of
// the same file for good: 7 % off the work of a request, 15 % in a pipeline. What `vibing` itself
// does not import has files of its own, since V8 reads all of a file when it is loaded. Names and
// classes stay as they are.

import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, relative, sep } from 'node:path';
import { rollup } from '@rollup/wasm-node';
import { bundleDeclarations } from './declarations.mjs';
import { addOptionTexts } from './option-texts.mjs';

const ENTRIES = [
  'index',
  'middleware/index',
  'static/index',
  'fetch/index',
  'load/index',
  'viewer/index',
];
const COMMAND = 'cli/main';
/** The entry whose modules are in vibing.js. */
const MAIN = 'index.js';
/** Folders whose other modules are in one file each; those of cli are in files by command. */
const APART = ['fetch', 'load', 'middleware', 'viewer'];
/** What runs when it is loaded, in a thread. */
const SCRIPTS = ['cluster/metrics-thread'];
/** Found by Node where the package is installed. */
const PACKAGES = ['jose', 'koffi', 'mrmime'];

/** Bundles what lies in `folder`, code and declarations, in place. */
export async function bundle(folder) {
  const bundled = await rollup({
    input: Object.fromEntries(
      [...ENTRIES, COMMAND, ...SCRIPTS].map((name) => [name, join(folder, `${name}.js`)]),
    ),
    external: (id) => isBuiltin(id) || PACKAGES.includes(id),
    preserveEntrySignatures: 'strict',
    plugins: [{ name: 'maps', load: loadWithMap, resolveImportMeta: urlOfModule(folder) }],
    onwarn: (warning) => {
      throw new Error(warning.message);
    },
  });
  const { output } = await bundled.write({
    dir: folder,
    format: 'es',
    sourcemap: true,
    manualChunks: chunks(folder),
    entryFileNames: '[name].js',
    chunkFileNames: ({ name, moduleIds }) => {
      if (name === 'vibing') return 'vibing.js';
      const isApart = moduleIds.some((id) => id.startsWith(join(folder, name) + sep));
      return isApart ? `${name}/${name}.js` : 'cli/[name].js';
    },
    hoistTransitiveImports: false,
    minifyInternalExports: false,
  });
  await bundled.close();
  checkAscii(output.find(({ fileName }) => fileName === 'vibing.js').code);
  const declarations = bundleDeclarations(folder, ENTRIES);
  await addOptionTexts(folder);
  const kept = new Set([...output.map(({ fileName }) => fileName), ...declarations]);
  removeOthers(folder, folder, kept);
}

/** V8 keeps a source with any other character as UTF-16, which takes twice the memory. */
function checkAscii(code) {
  const at = code.search(/[^\0-\x7f]/);
  if (at < 0) return;
  const line = code.slice(code.lastIndexOf('\n', at) + 1, code.indexOf('\n', at));
  throw new Error(`vibing.js is not ASCII; write an escape such as \\u2191 in: ${line.trim()}`);
}

/** Says which file a module is put into. */
function chunks(folder) {
  let main = null;
  return (id, { getModuleInfo }) => {
    if (SCRIPTS.some((name) => id === join(folder, `${name}.js`))) return undefined;
    main ??= imported(join(folder, MAIN), getModuleInfo);
    if (main.has(id)) return 'vibing';
    if (id.startsWith(join(folder, 'cli') + sep)) return undefined;
    return APART.find((name) => id.startsWith(join(folder, name) + sep)) ?? 'vibing';
  };
}

/** A module with all that it imports, and what that imports. */
function imported(entry, getModuleInfo) {
  const found = new Set();
  const waiting = [entry];
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    if (found.has(id)) continue;
    found.add(id);
    waiting.push(...(getModuleInfo(id)?.importedIds ?? []));
  }
  return found;
}

/** In the bundle a module's own URL is the one that it had: what it starts lies beside that. */
function urlOfModule(folder) {
  return (property, { chunkId, moduleId }) => {
    if (property !== 'url') return null;
    const from = dirname(join(folder, chunkId));
    const path = relative(from, moduleId).split(sep).join('/');
    return `new URL(${JSON.stringify(path)}, import.meta.url).href`;
  };
}

/** A module with the map that the compiler made, so that the bundle's map leads to the sources. */
function loadWithMap(id) {
  const code = readFileSync(id, 'utf8').replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n');
  return { code, map: JSON.parse(readFileSync(`${id}.map`, 'utf8')) };
}

/** The modules that are in the bundle now, and declarations of its inside. */
function removeOthers(root, folder, kept) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) removeOthers(root, path, kept);
    else if (/\.(d\.ts|js|js\.map)$/.test(entry.name) && !kept.has(named(root, path))) rmSync(path);
  }
}

/** As Rollup names its files, on every system. */
function named(root, path) {
  return relative(root, path).split(sep).join('/');
}
