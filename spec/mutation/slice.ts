// A slice of the mutants: a random sample that depends on a seed only, so that slices 1 to n of one
// seed are all mutants, each once.

export interface Slice {
  /** From 1 to `of`. */
  readonly number: number;
  readonly of: number;
  readonly seed: number;
}

export interface SlicedMutant {
  readonly fileName: string;
  readonly mutatorName: string;
  readonly replacement?: string;
  readonly location: {
    readonly start: { readonly line: number; readonly column: number };
    readonly end: { readonly line: number; readonly column: number };
  };
}

/** The reason in the report of a mutant that was not tested. It begins with this. */
export const NOT_IN_SLICE = 'not in the slice';

/** '3/20', or null. */
export function parseSlice(text: string, seed: number): Slice | null {
  const [, number = '', of = ''] = /^(\d{1,4})\/(\d{1,4})$/.exec(text) ?? [];
  const slice = { number: Number(number), of: Number(of), seed };
  return slice.number >= 1 && slice.number <= slice.of ? slice : null;
}

export function isInSlice(mutant: SlicedMutant, { number, of, seed }: Slice): boolean {
  const { fileName, location, mutatorName, replacement = '' } = mutant;
  const { start, end } = location;
  const path = /src[\\/].*$/.exec(fileName)?.[0].replaceAll('\\', '/') ?? fileName;
  const place = [start.line, start.column, end.line, end.column].join(':');
  return hash([seed, path, place, mutatorName, replacement].join(' ')) % of === number - 1;
}

/** FNV-1a, then mixed, so that the low bits depend on every character. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  value = Math.imul(value ^ (value >>> 15), 0x2c1b3c6d);
  value = Math.imul(value ^ (value >>> 12), 0x297a2d39);
  return (value ^ (value >>> 15)) >>> 0;
}
