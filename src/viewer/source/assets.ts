// The files of the page that are made when the package is built: its script, and the charts
// library.

import { readFileSync } from 'node:fs';

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
    try {
      return readFileSync(new URL(`${folder}${name}`, import.meta.url), 'utf8');
    } catch {
      // It is not there: try the next one.
    }
  }
  throw new Error(`${name} of the viewer is missing: run npm run build`);
}
