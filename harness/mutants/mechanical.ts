// Mutants made by rule: a comparison turned, a statement left out, a condition settled, chosen by a
// seed from the syntax trees of the reactor and the connection. Nobody thought of these bugs.

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type AnyNode, parse } from 'acorn';
import { Random } from '../random.ts';
import type { Patch } from './patch.ts';

const BUILT = fileURLToPath(new URL('../../src/', import.meta.url));
const FOLDERS = ['reactor', 'connection'];

export interface MechanicalMutant extends Patch {
  readonly name: string;
}

/** A piece of a file and what to put there. */
interface Site {
  readonly file: string;
  readonly source: string;
  readonly start: number;
  readonly end: number;
  readonly replace: string;
  readonly rule: string;
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
  const random = new Random(seed, 'mutants');
  const made: MechanicalMutant[] = [];
  while (made.length < count && sites.length > 0) {
    const [site] = sites.splice(random.below(sites.length), 1);
    made.push(mutantOf(site));
  }
  return made;
}

function sitesOf(file: string): Site[] {
  const source = readFileSync(`${BUILT}${file}`, 'utf8');
  const tree = parse(source, { ecmaVersion: 'latest', sourceType: 'module' });
  const sites: Site[] = [];
  const add = (start: number, end: number, replace: string, rule: string): void => {
    sites.push({ file, source, start, end, replace, rule });
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

/** Every node but what assertions and the making of objects consist of. */
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

/** Takes in as much around the piece as makes it one of a kind. */
function mutantOf({ file, source, start, end, replace, rule }: Site): MechanicalMutant {
  let from = start;
  let to = end;
  while (source.split(source.slice(from, to)).length !== 2) {
    from = Math.max(0, from - 8);
    to = Math.min(source.length, to + 8);
  }
  const line = source.slice(0, start).split('\n').length;
  const text = source.slice(source.lastIndexOf('\n', start) + 1).split('\n')[0];
  return {
    name: `${file}:${line}: ${rule}: ${text.trim().slice(0, 60)}`,
    file,
    find: source.slice(from, to),
    replace: source.slice(from, start) + replace + source.slice(end, to),
  };
}
