// Makes the files of the metrics viewer's page in dist/viewer/page/: its script, compiled for
// browsers and bundled into one file, and the charts library as it is published. The page loads
// nothing else.

import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { rollup } from '@rollup/wasm-node';

const CHARTS = [
  ['dist/uPlot.iife.min.js', 'uplot.js'],
  ['dist/uPlot.min.css', 'uplot.css'],
  ['LICENSE', 'uplot.LICENSE'],
];

/** Compiles with `compiler`; true when that went well. `out` is dist/. */
export async function makePage(root, compiler, out) {
  const project = join(root, 'src', 'viewer', 'page', 'tsconfig.json');
  const { status } = spawnSync(process.execPath, [compiler, '-p', project], {
    stdio: 'inherit',
    cwd: root,
  });
  if (status !== 0) return false;
  const modules = join(root, 'build', 'page');
  const folder = join(out, 'viewer', 'page');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const bundled = await rollup({
    input: join(modules, 'viewer', 'page', 'main.js'),
    external: ['uplot'],
    onwarn: (warning) => {
      throw new Error(warning.message);
    },
  });
  await bundled.write({
    file: join(folder, 'page.js'),
    format: 'iife',
    globals: { uplot: 'uPlot' },
    indent: false,
  });
  await bundled.close();
  for (const [from, to] of CHARTS) {
    copyFileSync(join(root, 'node_modules', 'uplot', from), join(folder, to));
  }
  return true;
}

/** Replaces the scripts of the page in `out`, which is dist/, by smaller brotli files. */
export function compressPage(out) {
  const folder = join(out, 'viewer', 'page');
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.js'))) {
    const path = join(folder, name);
    writeFileSync(`${path}.br`, brotliCompressSync(readFileSync(path)));
    rmSync(path);
  }
}
