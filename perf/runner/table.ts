// Figures as a table of text.

/** The first row has the names of the columns; the first column stands left, the others right. */
export function tableText(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_name, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows.map((row) => line(row, widths)).join('\n');
}

function line(row: readonly string[], widths: readonly number[]): string {
  const cells = row.map((text, column) =>
    column === 0 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0),
  );
  return cells.join('  ').trimEnd();
}

/** A number for a cell, '-' when there is none. */
export function cell(value: number, digits: number): string {
  return Number.isFinite(value) ? value.toFixed(digits) : '-';
}

/** A rounded number with commas, as 98,765; '-' when there is none. */
export function countText(value: number): string {
  return Number.isFinite(value) ? Math.round(value).toLocaleString('en-US') : '-';
}

/** 0.05 as `5 %`. */
export function shareText(share: number): string {
  return `${Math.round(share * 100)} %`;
}
