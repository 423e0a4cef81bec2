// A line on a terminal: parts with a style, cut or filled to a width in cells. Text from the
// network is made safe here, so no control character reaches the terminal.

import { logText } from '../../base/log-text.ts';

/** The styles, as parameters of SGR (ECMA-48, 8.3.117). */
const STYLES = {
  plain: '',
  bold: '1',
  soft: '2',
  good: '32',
  watch: '33',
  bad: '31',
  accent: '36',
  head: '1;4',
} as const;
export type Style = keyof typeof STYLES;

export interface Part {
  readonly text: string;
  readonly style: Style;
}

export type Line = readonly Part[];

export function part(text: string, style: Style = 'plain'): Part {
  return { text: logText(text), style };
}

const ELLIPSIS = '…';
/** Marks that take no cell of their own. */
const NO_CELL = /^[\p{Mn}\p{Me}\p{Cf}]$/u;
/** Wide characters of East Asian scripts, and pictures: first and last of each range. */
const TWO_CELLS: readonly (readonly [first: number, last: number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1faff],
  [0x20000, 0x3fffd],
];

/** The cells that a text takes. */
export function cellsOf(text: string): number {
  let cells = 0;
  for (const character of text) cells += cellsOfCharacter(character);
  return cells;
}

function cellsOfCharacter(character: string): number {
  if (character >= ' ' && character <= '~') return 1;
  if (NO_CELL.test(character)) return 0;
  const code = character.codePointAt(0) ?? 0;
  const isWide = TWO_CELLS.some(([first, last]) => first <= code && code <= last);
  return isWide || /^\p{Emoji_Presentation}$/u.test(character) ? 2 : 1;
}

/** The text in exactly `width` cells: cut with an ellipsis, or filled with blanks. */
export function fit(text: string, width: number, side: 'left' | 'right' = 'left'): string {
  const safe = cut(logText(text), width);
  const blanks = ' '.repeat(Math.max(0, width - cellsOf(safe)));
  return side === 'left' ? safe + blanks : blanks + safe;
}

function cut(text: string, width: number): string {
  if (cellsOf(text) <= width) return text;
  if (width <= 0) return '';
  let kept = '';
  let cells = 0;
  for (const character of text) {
    cells += cellsOfCharacter(character);
    if (cells > width - 1) break;
    kept += character;
  }
  return kept + ELLIPSIS;
}

export function widthOf(line: Line): number {
  return line.reduce((sum, { text }) => sum + cellsOf(text), 0);
}

/** A line with its second half at the right edge; the first half is cut where it has no room. */
export function spread(left: Line, right: Line, width: number): Line {
  const room = Math.max(0, width - widthOf(right) - 1);
  const kept = clip(left, room);
  return [...kept, part(' '.repeat(Math.max(1, width - widthOf(right) - widthOf(kept)))), ...right];
}

/** The beginning of a line, in at most `width` cells. */
export function clip(line: Line, width: number): Line {
  const kept: Part[] = [];
  let room = width;
  for (const { style, text } of line) {
    if (room <= 0) break;
    const shown = cut(text, room);
    room -= cellsOf(shown);
    kept.push({ text: shown, style });
  }
  return kept;
}

/** The line as text for the terminal, at most `width` cells wide. */
export function paint(line: Line, width: number, hasColor: boolean): string {
  return clip(line, width)
    .map(({ style, text }) => {
      const code = STYLES[style];
      return code === '' || !hasColor ? text : `\u001b[${code}m${text}\u001b[0m`;
    })
    .join('');
}
