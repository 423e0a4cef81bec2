// Puts the compiled modules of the package into one file, dist/vibing.js, which the entries hand
// on; the command line stays apart, since it runs when it is loaded. V8 looks an imported name up
// in its module each time it is used, and knows a constant of the same file for good: 7 % off the
// work of a request, 15 % in a pipeline. Names and classes stay as they are.

import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, relative, sep } from 'node:path';
import { rollup } from '@rollup/wasm-node';

const ENTRIES = [
  'index',
  'middleware/index',
  'static/index',
  'fetch/index',
  'load/index',
  'viewer/index',
  'cli/main',
  'cluster/metrics-thread',
];
/** What a server does not need lies in files of its own, loaded by the commands that need it. */
const APART = ['cli', 'viewer'];
/** What runs when it is loaded, in a thread. */
const SCRIPTS = ['cluster/metrics-thread'];
const CHUNKS = { vibing: 'vibing.js', viewer: 'viewer/viewer.js' };
/** Found by Node where the package is installed. */
const PACKAGES = ['jose', 'koffi', 'mrmime'];

/** Bundles what lies in `folder`, in place. Declarations that an entry imports stay as they are. */
export async function bundle(folder) {
  const bundled = await rollup({
    input: Object.fromEntries(ENTRIES.map((name) => [name, join(folder, `${name}.js`)])),
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
    manualChunks: (id) => {
      if (SCRIPTS.some((name) => id === join(folder, `${name}.js`))) return undefined;
      const apart = APART.find((name) => id.startsWith(join(folder, name) + sep));
      if (apart === undefined) return 'vibing';
      return apart === 'viewer' ? 'viewer' : undefined;
    },
    entryFileNames: '[name].js',
    chunkFileNames: ({ name }) => CHUNKS[name] ?? 'cli/[name].js',
    hoistTransitiveImports: false,
    minifyInternalExports: false,
  });
  await bundled.close();
  const kept = new Set([...output.map(({ fileName }) => fileName), ...declarations(folder)]);
  removeOthers(folder, folder, kept);
}

/** The declarations that a user's compiler can reach from the entries. */
function declarations(folder) {
  const reached = new Set();
  const waiting = ENTRIES.map((name) => `${name}.d.ts`);
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (reached.has(path)) continue;
    reached.add(path);
    const text = readFileSync(join(folder, path), 'utf8');
    for (const [, name] of text.matchAll(/(?:from |import\()'(\.[^']+)\.[jt]s'/g)) {
      waiting.push(relative(folder, join(folder, dirname(path), `${name}.d.ts`)));
    }
  }
  return reached;
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
    else if (/\.(d\.ts|js|js\.map)$/.test(entry.name) && !kept.has(relative(root, path))) {
      rmSync(path);
    }
  }
}
