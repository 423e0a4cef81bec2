// Makes the code in dist/ small for the packed file: no comments and spaces, short names for what
// is local. Methods, classes and properties keep their names, so stack traces are readable; other
// functions do not, nor do methods in the code of commands. Constants become literals, and a
// variable that is used once becomes part of that expression. No function is moved in the code of
// servers, so it runs as fast as what the tests run.

import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'acorn';
import { minify } from 'terser';

const NAMES = { keep_classnames: true };
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
  passes: 3,
  properties: true,
  reduce_funcs: false,
  reduce_vars: true,
  side_effects: true,
  switches: true,
  toplevel: true,
  unused: true,
};
/** Node prints the line of an error that nothing catches: some rows of a terminal. */
const FORMAT = { comments: false, max_line_len: 1000 };
/** Published minified. */
const OTHERS = ['uplot.js'];
/** Below them no function has a name that a program of a user could see in a stack trace. */
const TOOLS = [join('dist', 'cli'), join('dist', 'load'), join('dist', 'viewer')];

/** By the name of the variable. No such text has a string with several lines or a comment in it. */
const TEXTS = {
  STYLE: (css) => css.replace(/\s+/g, ' ').replace(/ ?([{};,]) ?|(:) /g, '$1$2'),
  HANDLERS: (script) => script.replace(/^\s*(?:\/\/.*|\/\*.*\*\/)$/gm, '').replace(/\n\s*/g, '\n'),
};

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
  const source = withShortTexts(readFileSync(path, 'utf8'));
  if (TOOLS.some((folder) => path.includes(folder))) {
    const { code } = await minify(source, {
      module: true,
      ecma: 2020,
      compress: { passes: 3, sequences: false },
      keep_classnames: true,
      format: FORMAT,
    });
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
  visit(parsed(code), ({ end, start, type }) => {
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

/** Style sheets, and the script of a page that is a text, without what only readers need. */
function withShortTexts(code) {
  let short = '';
  let end = 0;
  visit(parsed(code), ({ type, id, init }) => {
    const shorter = type === 'VariableDeclarator' && TEXTS[id.name?.replace(/\$\d+$/, '')];
    if (!shorter) return;
    const { start, end: next } = (init.quasi ?? init).quasis[0];
    short += code.slice(end, start) + shorter(code.slice(start, next));
    end = next;
  });
  return short + code.slice(end);
}

const parsed = (code) =>
  parse(code, { ecmaVersion: 'latest', sourceType: 'module', allowHashBang: true });

/** terser could give such a name to another member. */
const isShort = ({ name }) => name.length <= 3;

/** terser shortens all private names: those of methods, which stack traces show, are hidden. */
function withPlainMethods(code) {
  if (code.includes(PLAIN)) throw new Error(`the code contains ${PLAIN}`);
  const names = [];
  const methods = new Set();
  visit(parsed(code), (node) => {
    if (node.type === 'PrivateIdentifier') names.push(node);
    if (node.type === 'MethodDefinition') methods.add(node.key);
  });
  const kept = new Set(
    names.filter((node) => methods.has(node) && !isShort(node)).map(({ name }) => name),
  );
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
