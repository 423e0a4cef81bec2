// How bytes are written in a case: printable ASCII stands for itself, everything else is an escape.
// There is one way to write most things, so that what a reader sees is what is sent.

/** A case file that is not as README.md says; `line` counts from 1. */
export class Malformed extends Error {
  override readonly name = 'Malformed';
  readonly problem: string;

  constructor(file: string, line: number, problem: string) {
    super(`${file}:${line}: ${problem}`);
    this.problem = problem;
  }
}

const SIMPLE: Readonly<Record<string, string>> = { r: '\r', n: '\n', t: '\t', '\\': '\\' };

/** Most bytes that one repetition may make: a slip of the pen should not fill the memory. */
const REPEATED_BYTES_MAX = 1_000_000;

/** One character a byte; or, as `problem`, why the text is none. */
export function decode(text: string): { bytes: string } | { problem: string } {
  let bytes = '';
  let at = 0;
  while (at < text.length) {
    const character = text[at];
    if (character < ' ' || character > '~') {
      return { problem: `the character ${JSON.stringify(character)} needs an escape` };
    }
    if (character !== '\\') {
      bytes += character;
      at += 1;
      continue;
    }
    const escaped = decodeEscape(text, at + 1);
    if ('problem' in escaped) return escaped;
    bytes += escaped.bytes;
    at = escaped.end;
  }
  return { bytes };
}

function decodeEscape(
  text: string,
  at: number,
): { bytes: string; end: number } | { problem: string } {
  const simple = SIMPLE[text[at] ?? ''];
  if (simple !== undefined) return { bytes: simple, end: at + 1 };
  if (text[at] === 'x') {
    const digits = /^[0-9a-f]{2}/.exec(text.slice(at + 1))?.[0];
    if (digits === undefined) return { problem: '\\x needs two digits, 0 to 9 and a to f' };
    const code = Number.parseInt(digits, 16);
    const plain = code >= 0x21 && code <= 0x7e;
    if (plain) return { problem: `\\x${digits} is written ${String.fromCharCode(code)}` };
    return { bytes: String.fromCharCode(code), end: at + 3 };
  }
  if (text[at] === '{') return decodeRepetition(text, at);
  return { problem: `there is no escape \\${text[at] ?? ''}` };
}

/** {text*count}, the brace at `at`. */
function decodeRepetition(
  text: string,
  at: number,
): { bytes: string; end: number } | { problem: string } {
  const close = text.indexOf('}', at);
  const match = close < 0 ? null : /^\{(.+)\*([1-9][0-9]*)$/.exec(text.slice(at, close));
  if (match === null) return { problem: '\\{ needs text*count}' };
  if (match[1].includes('\\{')) return { problem: 'a repetition holds no other' };
  const once = decode(match[1]);
  if ('problem' in once) return once;
  const count = Number(match[2]);
  if (once.bytes.length * count > REPEATED_BYTES_MAX) return { problem: 'too much is repeated' };
  return { bytes: once.bytes.repeat(count), end: close + 1 };
}

/** The other way round, for messages: long runs of one character are repetitions. */
export function encode(bytes: string): string {
  return bytes.replace(
    /([ -[\]-z|~])\1{23,}|[^ -[\]-~]/g,
    (found, repeated: string | undefined) => {
      if (repeated !== undefined) return `\\{${repeated}*${found.length}}`;
      const simple = Object.keys(SIMPLE).find((key) => SIMPLE[key] === found);
      if (simple !== undefined) return `\\${simple}`;
      return `\\x${found.charCodeAt(0).toString(16).padStart(2, '0')}`;
    },
  );
}
