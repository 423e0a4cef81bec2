// Makes the code in dist/ small for the packed file: no comments and spaces, short names for what
// is local. Functions, methods, classes and properties keep their names, so stack traces are
// readable; those of the code of commands do not. Constants become literals, and a variable that is
// used once becomes part of that expression. No function is moved in the code of servers, so it
// runs as fast as what the tests run.

import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'acorn';
import { minify } from 'terser';

const NAMES = { keep_classnames: true, keep_fnames: true };
const COMPRESS = {
  ...NAMES,
  defaults: false,
  booleans: true,
  collapse_vars: true,
  comparisons: true,
  conditionals: true,
  dead_code: true,
  evaluate: true,
  hoist_props: true,
  if_return: true,
  join_vars: true,
  passes: 2,
  properties: true,
  reduce_funcs: false,
  reduce_vars: true,
  toplevel: true,
  unused: true,
};
/** Node prints the line of an error that nothing catches: some rows of a terminal. */
const FORMAT = { comments: false, max_line_len: 1000 };
/** Published minified. */
const OTHERS = ['uplot.js'];
/** Below them no function has a name that a program of a user could see in a stack trace. */
const TOOLS = [join('dist', 'cli'), join('dist', 'load'), join('dist', 'viewer')];

/** `return new HttpError(...)`, or `return Object.assign(new Error(...), ...)`. */
const MAKES_ERROR = /^return (?:Object\.assign\()?new \w*Error\(/;

/** Stands for the # of a private method while terser works. */
const PLAIN = '__private__';

/** Minifies the scripts below `folder`, in place, and removes their maps, which no longer fit. */
export async function minifyScripts(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await minifyScripts(path);
    else if (entry.name.endsWith('.js.map')) rmSync(path);
    else if (entry.name.endsWith('.js') && !OTHERS.includes(entry.name)) await minifyScript(path);
  }
}

async function minifyScript(path) {
  const source = readFileSync(path, 'utf8');
  if (TOOLS.some((folder) => path.includes(folder))) {
    const options = { module: true, keep_classnames: true, format: FORMAT };
    const { code } = await minify(source, options);
    writeFileSync(path, `${code}\n`);
    return;
  }
  const { code } = await minify(withPlainMethods(source), {
    module: true,
    ecma: 2020,
    compress: COMPRESS,
    mangle: { ...NAMES, toplevel: true },
    format: FORMAT,
  });
  writeFileSync(path, `${withErrorLines(code.replaceAll(PLAIN, '#'))}\n`);
}

/** Node prints the line of an error that nothing catches: what makes one has a line of its own. */
function withErrorLines(code) {
  const ends = [];
  visit(parse(code, { ecmaVersion: 'latest', sourceType: 'module' }), ({ end, start, type }) => {
    const makes = type === 'ReturnStatement' && MAKES_ERROR.test(code.slice(start, end));
    if (makes || type === 'ThrowStatement') ends.push(start, end);
  });
  let lines = '';
  let from = 0;
  for (const to of ends.sort((one, other) => one - other)) {
    lines += code.slice(from, to);
    if (!lines.endsWith('\n')) lines += '\n';
    from = to;
  }
  return lines + code.slice(from);
}

/** terser shortens all private names: those of methods, which stack traces show, are hidden. */
function withPlainMethods(code) {
  if (code.includes(PLAIN)) throw new Error(`the code contains ${PLAIN}`);
  const names = [];
  const methods = new Set();
  visit(
    parse(code, { ecmaVersion: 'latest', sourceType: 'module', allowHashBang: true }),
    (node) => {
      if (node.type === 'PrivateIdentifier') names.push(node);
      if (node.type === 'MethodDefinition') methods.add(node.key);
    },
  );
  const kept = new Set(names.filter((name) => methods.has(name)).map(({ name }) => name));
  let plain = '';
  let end = 0;
  for (const { name, start } of names.sort((one, other) => one.start - other.start)) {
    if (!kept.has(name)) continue;
    plain += code.slice(end, start) + PLAIN;
    end = start + 1;
  }
  return plain + code.slice(end);
}

function visit(node, found) {
  found(node);
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (typeof child?.type === 'string') visit(child, found);
    }
  }
}
