// Instruments compiled code: a counter for each function, each branch of a condition, each loop
// body, case and catch; or, in another copy, a call that records the operands of each comparison.
// Behaviour and line numbers stay the same.

import { type Node, parse } from 'acorn';
import MagicString from 'magic-string';

/** The names of counters and of the step limit that ends endless loops; no code uses them. */
const COUNTERS = '$counters';
const STEPS = '$steps';
const EXHAUSTED = '$exhausted';

/** Lengths of words that are useful to a mutator. */
const WORD_LENGTH_MIN = 2;
const WORD_LENGTH_MAX = 32;

export interface Instrumented {
  readonly code: string;
  /** The next free counter. */
  readonly next: number;
  /** Strings of the code, for mutations. */
  readonly words: readonly string[];
}

/** The functions of the module `counters` that replace comparisons. */
const COMPARISONS: Readonly<Record<string, string>> = {
  '===': 'equal',
  '!==': 'unequal',
  '<': 'less',
  '<=': 'atMost',
  '>': 'more',
  '>=': 'atLeast',
};

type Tree = Node & { readonly [key: string]: unknown };

/** Counts from `first` on, in the arrays that the module `counters` exports. */
export function instrument(source: string, first: number, counters: string): Instrumented {
  const marks = new Marks(source, first);
  marks.visit(treeOf(source), null);
  const names = `counters as ${COUNTERS}, steps as ${STEPS}, exhausted as ${EXHAUSTED}`;
  // Added to the first line, so that line numbers stay. Constants of the module are faster than
  // imports.
  marks.text.prepend(
    `import { ${names} } from ${JSON.stringify(counters)};` +
      `const ${COUNTERS}_ = ${COUNTERS}, ${STEPS}_ = ${STEPS};`,
  );
  return { code: marks.text.toString(), next: marks.next, words: [...marks.words] };
}

/** The copy whose comparisons are calls of functions that the module `counters` exports. */
export function instrumentComparisons(source: string, counters: string): string {
  const text = new MagicString(source);
  const replace = (node: Tree): void => {
    for (const child of childrenOf(node)) replace(child);
    const name = COMPARISONS[String(node['operator'])];
    if (node.type !== 'BinaryExpression' || name === undefined) return;
    const { end } = child(node, 'left');
    const operator = String(node['operator']);
    const at = source.indexOf(operator, end);
    text.overwrite(at, at + operator.length, ',');
    text.prependRight(node.start, `$${name}(`);
    text.appendLeft(node.end, ')');
  };
  replace(treeOf(source));
  const names = Object.values(COMPARISONS).map((name) => `${name} as $${name}`);
  text.prepend(`import { ${names.join(', ')} } from ${JSON.stringify(counters)};`);
  return text.toString();
}

function treeOf(source: string): Tree {
  return parse(source, { ecmaVersion: 'latest', sourceType: 'module' }) as unknown as Tree;
}

/** The module specifiers that a module imports. */
export function importsOf(source: string): string[] {
  const program = parse(source, { ecmaVersion: 'latest', sourceType: 'module' });
  const found: string[] = [];
  for (const statement of program.body) {
    if (!('source' in statement)) continue;
    if (typeof statement.source?.value === 'string') found.push(statement.source.value);
  }
  return found;
}

class Marks {
  readonly text: MagicString;
  readonly words: Set<string> = new Set();
  next: number;
  readonly #source: string;

  constructor(source: string, first: number) {
    this.text = new MagicString(source);
    this.#source = source;
    this.next = first;
  }

  visit(node: Tree, parent: Tree | null): void {
    // From the inside out, so that the edits nest.
    if (!mentionsOnly(node)) {
      for (const child of childrenOf(node)) this.visit(child, node);
    }
    this.#mark(node);
    if (node.type === 'Literal') this.#word(node, parent);
  }

  #mark(node: Tree): void {
    switch (node.type) {
      case 'FunctionDeclaration':
      case 'FunctionExpression':
      case 'ArrowFunctionExpression':
        this.#inside(child(node, 'body'), true);
        break;
      case 'IfStatement':
        this.#inside(child(node, 'consequent'), false);
        if (node['alternate'] === null) {
          this.text.appendLeft(node.end, ` else { ${this.#count()} }`);
        } else this.#inside(child(node, 'alternate'), false);
        break;
      case 'WhileStatement':
      case 'DoWhileStatement':
      case 'ForStatement':
      case 'ForInStatement':
      case 'ForOfStatement':
        this.#inside(child(node, 'body'), true);
        break;
      case 'SwitchStatement':
        this.#cases(node);
        break;
      case 'ConditionalExpression':
        this.#value(child(node, 'consequent'));
        this.#value(child(node, 'alternate'));
        break;
      case 'LogicalExpression':
        this.#value(child(node, 'right'));
        break;
      case 'CatchClause':
        this.#inside(child(node, 'body'), false);
        break;
      default:
        break;
    }
  }

  #count(): string {
    const counter = `${COUNTERS}_[${this.next}]++;`;
    this.next += 1;
    return counter;
  }

  /** A body: a block, a statement, or the expression of an arrow function. */
  #inside(body: Tree, stepping: boolean): void {
    const step = stepping ? ` if (--${STEPS}_[0] < 0) ${EXHAUSTED}();` : '';
    if (body.type === 'BlockStatement') {
      this.text.prependRight(body.start + 1, ` ${this.#count()}${step}`);
    } else if (body.type.endsWith('Statement') || body.type.endsWith('Declaration')) {
      this.text.prependRight(body.start, `{ ${this.#count()}${step} `);
      this.text.appendLeft(body.end, ' }');
    } else this.#value(body);
  }

  #value(value: Tree): void {
    this.text.prependRight(value.start, `(${this.#count().slice(0, -1)}, `);
    this.text.appendLeft(value.end, ')');
  }

  /** A case without statements shares those of the next one. */
  #cases(node: Tree): void {
    const cases = node['cases'] as Tree[];
    for (const one of cases) {
      const statements = one['consequent'] as Tree[];
      if (statements.length > 0) this.text.prependRight(statements[0].start, `${this.#count()} `);
    }
    if (cases.every((one) => one['test'] !== null)) {
      this.text.appendLeft(node.end - 1, ` default: ${this.#count()} `);
    }
  }

  /** Strings, and numbers that encode four characters. */
  #word(node: Tree, parent: Tree | null): void {
    const value = node['value'];
    if (parent?.type === 'ImportDeclaration' || parent?.type === 'ExportNamedDeclaration') return;
    const text =
      typeof value === 'number' && this.#source.startsWith('0x', node.start)
        ? charactersOf(value)
        : value;
    if (typeof text !== 'string') return;
    if (text.length < WORD_LENGTH_MIN || text.length > WORD_LENGTH_MAX) return;
    if (/^[\t\r\n\x20-\x7e]+$/.test(text)) this.words.add(text);
  }
}

/** The four characters of a 32-bit number, lowest byte first; '' for a small number. */
function charactersOf(value: number): string {
  if (!Number.isInteger(value) || value < 2 ** 24 || value >= 2 ** 32) return '';
  return String.fromCharCode(...[0, 8, 16, 24].map((shift) => (value >>> shift) & 255));
}

/** Whether a node makes an error: its message has no branches worth counting. */
function mentionsOnly(node: Tree): boolean {
  if (node.type !== 'NewExpression') return false;
  return /Error$/.test(String(child(node, 'callee')['name']));
}

function child(node: Tree, key: string): Tree {
  return node[key] as Tree;
}

function childrenOf(node: Tree): Tree[] {
  const found: Tree[] = [];
  for (const key of Object.keys(node)) {
    const value = node[key];
    if (Array.isArray(value)) found.push(...value.filter(isTree));
    else if (isTree(value)) found.push(value);
  }
  if (node.type !== 'CallExpression') return found;
  // Without the message of an assertion, its second argument.
  const isAssertion = child(node, 'callee')['name'] === 'assert';
  return isAssertion ? found.slice(0, 2) : found;
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && 'type' in value;
}
