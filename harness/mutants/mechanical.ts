// Mechanical mutants: inverted comparisons, omitted statements, constant conditions, drawn by a
// seed from the syntax trees of reactor and connection.

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type AnyNode, parse } from 'acorn';
import { Random } from '../../testing/random.ts';
import type { Patch } from './patch.ts';

const BUILT = fileURLToPath(new URL('../../src/', import.meta.url));
const FOLDERS = ['reactor', 'connection'];

const KEY_CHARACTERS = 90;

export interface MechanicalMutant extends Patch {
  /** File, line and change. */
  readonly name: string;
  /**
   * The same without the line number, which changes with every line above, cut to a fixed length.
   */
  readonly key: string;
}

/** A part of a file and its replacement. */
interface Site {
  readonly file: string;
  readonly source: string;
  readonly start: number;
  readonly end: number;
  readonly replace: string;
  readonly rule: string;
  /** How many sites before it in its file have the same rule and line of text. */
  readonly alike: number;
}

const TURNED: Readonly<Record<string, string>> = {
  '<': '<=',
  '<=': '<',
  '>': '>=',
  '>=': '>',
  '===': '!==',
  '!==': '===',
  '+': '-',
  '-': '+',
  '&&': '||',
  '||': '&&',
};

export function mechanicalMutants(seed: number, count: number): MechanicalMutant[] {
  const sites: Site[] = [];
  for (const folder of FOLDERS) {
    const names = readdirSync(`${BUILT}${folder}`).filter((name) => name.endsWith('.js'));
    for (const name of names.sort()) sites.push(...sitesOf(`${folder}/${name}`));
  }
  // Each site has a rank of its own: a change elsewhere leaves the choice as it is.
  const ranked = sites.map((site) => ({ site, rank: rankOf(seed, site) }));
  ranked.sort((one, other) => one.rank - other.rank);
  return ranked.slice(0, count).map(({ site }) => mutantOf(site));
}

function rankOf(seed: number, site: Site): number {
  return new Random(seed, keyOf(site)).next();
}

function keyOf({ file, source, start, rule, alike }: Site): string {
  const which = alike === 0 ? '' : ` (${alike + 1})`;
  return `${file}: ${rule}${which}: ${lineAt(source, start)}`;
}

function sitesOf(file: string): Site[] {
  const source = readFileSync(`${BUILT}${file}`, 'utf8');
  const tree = parse(source, { ecmaVersion: 'latest', sourceType: 'module' });
  const sites: Site[] = [];
  const add = (start: number, end: number, replace: string, rule: string): void => {
    const text = lineAt(source, start);
    const isAlike = (other: Site): boolean =>
      other.rule === rule && lineAt(source, other.start) === text;
    const alike = sites.filter(isAlike).length;
    sites.push({ file, source, start, end, replace, rule, alike });
  };
  walk(tree, (node) => {
    if (node.type === 'BinaryExpression' || node.type === 'LogicalExpression') {
      const turned = TURNED[node.operator];
      if (turned === undefined) return;
      const at = source.indexOf(node.operator, node.left.end);
      add(at, at + node.operator.length, turned, `${node.operator} becomes ${turned}`);
    } else if (node.type === 'IfStatement') {
      add(node.test.start, node.test.end, 'false', 'a condition never holds');
    } else if (node.type === 'ExpressionStatement') {
      add(node.start, node.end, ';', 'a statement is left out');
    }
  });
  return sites;
}

/** Visits every node outside of assertions and constructors. */
function walk(node: AnyNode, visit: (node: AnyNode) => void): void {
  if (isAssertion(node)) return;
  if (node.type === 'MethodDefinition' && node.kind === 'constructor') return;
  visit(node);
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (typeof child === 'object' && child !== null && 'type' in child) walk(child, visit);
    }
  }
}

function isAssertion(node: AnyNode): boolean {
  if (node.type !== 'ExpressionStatement' || node.expression.type !== 'CallExpression')
    return false;
  const { callee } = node.expression;
  return callee.type === 'Identifier' && callee.name === 'assert';
}

/** Extends the text of the site until it occurs once in its file. */
function mutantOf(site: Site): MechanicalMutant {
  const { file, source, start, end, replace } = site;
  let from = start;
  let to = end;
  while (source.split(source.slice(from, to)).length !== 2) {
    from = Math.max(0, from - 8);
    to = Math.min(source.length, to + 8);
  }
  const line = source.slice(0, start).split('\n').length;
  const key = keyOf(site);
  return {
    name: `${file}:${line}${key.slice(file.length)}`,
    key: key.slice(0, KEY_CHARACTERS),
    file,
    find: source.slice(from, to),
    replace: source.slice(from, start) + replace + source.slice(end, to),
  };
}

/** The line of text at a position. */
function lineAt(source: string, at: number): string {
  const from = source.lastIndexOf('\n', at) + 1;
  return source.slice(from).split('\n', 1)[0].trim();
}
