// Reads the texts of the project from disk.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Source, source } from './source.ts';

/** Compiled, this file lies in build/spec/tidy/. */
export const ROOT: string = fileURLToPath(new URL('../../../', import.meta.url));

/** Not read: what is generated, installed or of third parties. */
const LEFT_OUT: readonly RegExp[] = [
  /(^|\/)(node_modules|build|dist|coverage|\.git)$/,
  /^reports$/,
  /^fuzz\/(corpus|findings)$/,
  /^examples\/site\/fonts$/,
  /(^|\/)package-lock\.json$/,
  /^LICENSE$/,
];

const TEXT =
  /\.(m?ts|m?js|json|md|ya?ml|html|css|svg|txt|sh)$|^\.ci\/[\w-]+$|^\.(gitignore|npmrc)$/;

/** All texts, sorted by path. */
export function texts(): readonly Source[] {
  return pathsBelow('').map((path) => source(path, readFileSync(join(ROOT, path), 'utf8')));
}

function pathsBelow(folder: string): readonly string[] {
  const found: string[] = [];
  for (const entry of readdirSync(join(ROOT, folder), { withFileTypes: true })) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (LEFT_OUT.some((pattern) => pattern.test(path))) continue;
    if (entry.isDirectory()) found.push(...pathsBelow(path));
    else if (entry.isFile() && TEXT.test(path)) found.push(path);
  }
  return found.sort();
}
