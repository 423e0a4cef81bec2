// Puts the declarations of the package into one file for each folder of src/, dist/types/*.d.ts,
// and leaves out what no public name needs: most of what the compiler writes declares the inside of
// the package. Docstrings stay, since editors show them.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';

const FOLDER = 'types';
/** `import { A, type B as C } from './x.ts';` and the same with export. */
const LIST = /^(import|export) (type )?\{([^}]*)\} from '(\.[^']+)\.[jt]s';$/;
const DECLARED =
  /^(export )?(?:declare )?(?:abstract )?(class|interface|type|function|const) (\w+)/m;
const COMMENT = /\/\*[\s\S]*?\*\//g;
const TEXT = /'(?:[^'\\\n]|\\.)*'/g;
/** A member of a class, with its docstring, as the compiler writes it. */
const MEMBER =
  /(?: {4}\/\*\*(?:[^*]|\*(?!\/))*\*\/\n)? {4}[^\s/}][^\n]*\n(?:(?: {5,}| {4}[)}\]>])[^\n]*\n)*/g;

/**
 * Writes the declarations of the entries of the package in `folder`, which are given as 'index',
 * and those that they need. Returns the paths of the files.
 */
export function bundleDeclarations(folder, entries) {
  const tree = new Tree(folder);
  const own = new Map(entries.map((name) => [name, tree.module(`${name}.d.ts`)]));
  for (const module of own.values()) {
    for (const { name, isType } of module.passedOn) tree.reach(tree.found(module, name), !isType);
    for (const declaration of module.declared.values()) tree.reach(declaration, true);
  }
  const files = new Map();
  for (const [name, module] of own) files.set(`${name}.d.ts`, entryText(tree, name, module));
  for (const [name, declarations] of byFile(tree, own)) {
    files.set(`${FOLDER}/${name}.d.ts`, fileText(tree, name, declarations));
  }
  mkdirSync(join(folder, FOLDER), { recursive: true });
  for (const [path, text] of files) writeFileSync(join(folder, path), text);
  return new Set(files.keys());
}

/** The modules that the compiler wrote, and what is reached of them. */
class Tree {
  #folder;
  #modules = new Map();
  /** Declarations that are needed, in the order in which they were found. */
  reached = new Set();
  /** Classes that a user can construct or extend. */
  values = new Set();

  constructor(folder) {
    this.#folder = folder;
  }

  module(path) {
    let module = this.#modules.get(path);
    if (module === undefined) {
      module = parsed(path, readFileSync(join(this.#folder, path), 'utf8'));
      this.#modules.set(path, module);
    }
    return module;
  }

  /** What a name means in a module; undefined for a global one. */
  found(module, name) {
    const declared = module.declared.get(name);
    if (declared !== undefined) return declared;
    const list = module.imported.get(name);
    return list && this.found(this.module(list.path), list.name);
  }

  reach(declaration, isValue) {
    if (isValue && !this.values.has(declaration)) {
      this.values.add(declaration);
      this.reached.delete(declaration);
    }
    if (this.reached.has(declaration)) return;
    this.reached.add(declaration);
    for (const name of wordsOf(this.textOf(declaration))) {
      const needed = this.found(declaration.module, name);
      if (needed !== undefined && needed !== declaration) this.reach(needed, false);
    }
  }

  /** Without what is for the inside: a class that users only get has no public constructor. */
  textOf(declaration) {
    const { text, kind } = declaration;
    if (kind !== 'class') return text;
    return text.replace(MEMBER, (member) => {
      const isConstructor = /^ {4}constructor\(/m.test(member);
      const isInside = member.includes('@internal');
      return isInside || (isConstructor && !this.values.has(declaration)) ? '' : member;
    });
  }
}

function parsed(path, text) {
  const module = { path, declared: new Map(), imported: new Map(), passedOn: [] };
  for (const statement of statementsOf(text)) {
    const list = LIST.exec(statement);
    if (list !== null) readList(module, list);
    else if (statement !== 'export {};') readDeclaration(module, statement);
  }
  return module;
}

/** Statements with their docstrings: they begin in the first column, and what follows does not. */
function statementsOf(text) {
  const statements = [];
  let comment = '';
  for (const [part] of text.matchAll(/^\/\*\*[\s\S]*?\*\/\n|^\S.*\n(?:(?: |[)}\]>]).*\n)*/gm)) {
    if (part.startsWith('/**')) comment = part;
    else {
      statements.push((comment + part).trimEnd());
      comment = '';
    }
  }
  return statements;
}

function readList(module, [, word, isType, names, from]) {
  const path = `${posix.join(posix.dirname(module.path), from)}.d.ts`;
  for (const part of names.split(',').map((one) => one.trim())) {
    if (part === '') continue;
    const [name, as = name] = part.replace(/^type /, '').split(' as ');
    module.imported.set(as, { path, name });
    const type = isType !== undefined || part.startsWith('type ');
    if (word === 'export') module.passedOn.push({ name: as, isType: type });
  }
}

function readDeclaration(module, statement) {
  const match = DECLARED.exec(statement.replace(COMMENT, ''));
  if (match === null) throw new Error(`${module.path}: cannot read ${statement}`);
  const [, exported, kind, name] = match;
  const before = module.declared.get(name);
  // Overloads of a function are declarations of one name.
  if (before !== undefined) before.text += `\n${statement}`;
  else {
    const isExported = exported !== undefined;
    module.declared.set(name, { name, kind, module, isExported, text: statement });
  }
}

/** The names that a declaration may mean: types, which begin with a capital, and `typeof value`. */
function wordsOf(text) {
  const code = text
    .replace(COMMENT, '')
    .replace(TEXT, '')
    .replace(/globalThis\.\w+/g, '');
  return new Set([...code.matchAll(/\b([A-Z]\w*)|\btypeof (\w+)/g)].map(([, a, b]) => a ?? b));
}

/** The declarations that lie outside of the entries, by the folder of their source. */
function byFile(tree, own) {
  const files = new Map();
  const entries = new Set(own.values());
  for (const declaration of tree.reached) {
    if (entries.has(declaration.module)) continue;
    const name = fileOf(declaration);
    const others = files.get(name) ?? files.set(name, new Map()).get(name);
    const other = others.get(declaration.name);
    if (other !== undefined) {
      const paths = `${other.module.path} and ${declaration.module.path}`;
      throw new Error(`${paths} declare ${declaration.name}: give one of them another name`);
    }
    others.set(declaration.name, declaration);
  }
  return files;
}

function fileOf({ module }) {
  return module.path.split('/')[0];
}

function fileText(tree, file, declarations) {
  const imports = new Map();
  const texts = [];
  /** What a name means to those that have it: the same for all, since they share a scope now. */
  const meanings = new Map(declarations);
  for (const declaration of declarations.values()) {
    const text = tree.textOf(declaration);
    for (const name of wordsOf(text)) {
      const needed = tree.found(declaration.module, name);
      if (meanings.has(name) && meanings.get(name) !== needed) {
        throw new Error(`${declaration.module.path}: ${name} means something else in src/${file}`);
      }
      meanings.set(name, needed);
      if (needed === undefined || fileOf(needed) === file) continue;
      if (needed.name !== name) throw new Error(`${declaration.module.path}: ${name} is an alias`);
      addTo(imports, `./${fileOf(needed)}.js`, name);
    }
    texts.push(text);
  }
  return halved(`${[...importLines(imports), ...texts, 'export {};'].join('\n')}\n`);
}

/** An entry passes names on, and may declare some itself. */
function entryText(tree, entry, module) {
  const up = dirname(entry) === '.' ? './' : '../';
  const lists = new Map();
  for (const { name, isType } of module.passedOn) {
    const found = tree.found(module, name);
    const as = found.name === name ? name : `${found.name} as ${name}`;
    addTo(lists, `${up}${FOLDER}/${fileOf(found)}.js`, isType ? `type ${as}` : as);
  }
  const imports = new Map();
  const texts = [...module.declared.values()].map((declaration) => {
    for (const name of wordsOf(declaration.text)) {
      const needed = tree.found(module, name);
      if (needed === undefined || needed.module === module) continue;
      addTo(imports, `${up}${FOLDER}/${fileOf(needed)}.js`, name);
    }
    return declaration.text;
  });
  const exported = importLines(lists).map((line) => line.replace('import', 'export'));
  return halved(`${[...importLines(imports), ...exported, ...texts].join('\n')}\n`);
}

/** TypeScript indents by four spaces. */
function halved(text) {
  return text.replace(/^(?: {4})+/gm, (spaces) => spaces.slice(spaces.length / 2));
}

function addTo(lists, path, name) {
  lists.set(path, (lists.get(path) ?? new Set()).add(name));
}

function importLines(lists) {
  return [...lists].map(([path, names]) => `import { ${[...names].join(', ')} } from '${path}';`);
}
