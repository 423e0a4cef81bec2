// Figures as a table to read, and the bars they are judged by.

/** The first row has the names of the columns; the first column stands left, the others right. */
export function tableText(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_name, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows.map((row) => line(row, widths)).join('\n');
}

function line(row: readonly string[], widths: readonly number[]): string {
  const cells = row.map((cell, column) =>
    column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
  );
  return cells.join('  ').trimEnd();
}

/** A figure and what it has to be. */
export interface Bar {
  readonly name: string;
  /** NaN when it could not be measured, which no bar allows. */
  readonly value: number;
  readonly is: 'at least' | 'at most' | 'less than';
  readonly bound: number;
  /** Digits after the point. */
  readonly digits: number;
}

export function isMet({ value, is, bound }: Bar): boolean {
  if (is === 'at least') return value >= bound;
  return is === 'at most' ? value <= bound : value < bound;
}

export function barLine(bar: Bar): string {
  const { name, value, is, bound, digits } = bar;
  const figure = Number.isNaN(value) ? 'not measured' : value.toFixed(digits);
  return `bar: ${name} ${is} ${bound.toFixed(digits)}: ${figure}, ${isMet(bar) ? 'met' : 'MISSED'}`;
}

/** A number for a cell, '-' when there is none. */
export function cell(value: number, digits: number): string {
  return Number.isFinite(value) ? value.toFixed(digits) : '-';
}
