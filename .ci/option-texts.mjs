// Documents the options of createServer in the declarations with the texts of the configuration
// keys, so that an editor shows what --help does. The limits become members of their own for that.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const FILE = 'types/server.d.ts';
const LIMITS = 'extends Partial<Readonly<Record<LimitName, number | undefined>>>, ';
const OPTIONS = /(?<=\nexport interface ServerOptions .*\{\n)(?:.*\n)*?(?=\}\n)/;
/** A member that has no docstring. */
const BARE = /(?<!\*\/\n) {2}readonly (\w+)\?: .*\n/g;

/** Changes the declarations in `folder`, where the compiled modules still are. */
export async function addOptionTexts(folder) {
  const load = (name) => import(pathToFileURL(join(folder, name)).href);
  const [{ KEYS }, { LIMITS: limits }] = await Promise.all([
    load('server/config/keys.js'),
    load('base/limits.js'),
  ]);
  const path = join(folder, FILE);
  const before = readFileSync(path, 'utf8');
  if (!before.includes(LIMITS)) throw new Error(`${FILE}: no ServerOptions with limits`);
  const texts = new Map(KEYS.map((key) => [key.option, textOf(key, limits[key.option], KEYS)]));
  const members = Object.keys(limits).map((name) => `  readonly ${name}?: number | undefined;\n`);
  const after = before
    .replace(LIMITS, 'extends ')
    .replace(OPTIONS, (own) =>
      [own, ...members].join('').replace(BARE, (member, name) => texts.get(name) + member),
    );
  const isNeeded = after.replace(/^import .*$/gm, '').includes('LimitName');
  writeFileSync(path, isNeeded ? after : after.replace(/, LimitName\b|\bLimitName, /, ''));
}

/** The docstring of an option. The texts name other keys as in the file. */
function textOf({ default: value, what }, limit, keys) {
  const names = new Map(keys.map(({ key, option }) => [key, option]));
  const text = what.replace(/\b[a-z]+(?:_[a-z]+)+\b/g, (name) => names.get(name) ?? name);
  const ending = value === undefined ? '' : ` Default ${shown(value, limit)}.`;
  return `  /** ${text[0].toUpperCase()}${text.slice(1)}.${ending} */\n`;
}

function shown(value, limit) {
  if (typeof value === 'string') return `'${value}'`;
  if (limit === undefined) return String(value);
  return value.toLocaleString('en') + ({ bytes: ' bytes', ms: ' ms' }[limit.unit] ?? '');
}
