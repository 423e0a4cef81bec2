// The files of the page that are made when the package is built: its script, and the charts
// library.

import { readFileSync } from 'node:fs';
import { brotliDecompressSync } from 'node:zlib';

/** Path, media type and text of each file. */
export type Asset = readonly [path: string, type: string, text: string];

const SCRIPT = 'text/javascript; charset=utf-8';
const FILES: readonly (readonly [name: string, type: string])[] = [
  ['page.js', SCRIPT],
  ['uplot.js', SCRIPT],
  ['uplot.css', 'text/css; charset=utf-8'],
];

/** The folder of these files in dist/: from there, and from build/, where the tests run. */
const FOLDERS = ['../page/', '../../../../dist/viewer/page/'];

export function readAssets(): readonly Asset[] {
  return FILES.map(([name, type]) => [`/${name}`, type, readAsset(name)] as const);
}

function readAsset(name: string): string {
  for (const folder of FOLDERS) {
    const path = new URL(`${folder}${name}`, import.meta.url);
    const text = readText(path, String) ?? readText(new URL(`${path}.br`), unpacked);
    if (text !== null) return text;
  }
  throw new Error(`${name} of the viewer is missing: run npm run build`);
}

/** In the packed package the scripts are brotli files, which take a tenth less of it. */
const unpacked = (packed: Buffer): string => String(brotliDecompressSync(packed));

function readText(path: URL, decode: (bytes: Buffer) => string): string | null {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch {
    return null;
  }
  return decode(bytes);
}
