// The notation of bytes in a case: printable ASCII is literal, everything else is an escape. Most
// bytes have exactly one notation, so that a reader sees what is sent.

/** The error for a case file that violates README.md; `line` counts from 1. */
export class Malformed extends Error {
  override readonly name = 'Malformed';
  readonly problem: string;

  constructor(file: string, line: number, problem: string) {
    super(`${file}:${line}: ${problem}`);
    this.problem = problem;
  }
}

const SIMPLE: Readonly<Record<string, string>> = { r: '\r', n: '\n', t: '\t', '\\': '\\' };

/** Maximum bytes of one repetition: a typing error must not exhaust memory. */
const REPEATED_BYTES_MAX = 1_000_000;

/** One character for each byte; or, as `problem`, why the text is not valid. */
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
  if (match[1].includes('\\{')) return { problem: 'a repetition must not contain another one' };
  const once = decode(match[1]);
  if ('problem' in once) return once;
  const count = Number(match[2]);
  if (once.bytes.length * count > REPEATED_BYTES_MAX)
    return { problem: `a repetition must have at most ${REPEATED_BYTES_MAX} bytes` };
  return { bytes: once.bytes.repeat(count), end: close + 1 };
}

/** The reverse of decode(), for messages: long runs of one character become repetitions. */
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
