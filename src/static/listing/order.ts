// The order of a listing. One function is the order of the server and of the page: the page
// contains its text, so it uses no name from outside.

export type SortKey = 'name' | 'size' | 'date';

export interface Sortable {
  readonly name: string;
  readonly isFolder: boolean;
  readonly bytes: number;
  readonly modifiedMs: number;
}

export type Compare = (one: Sortable, other: Sortable) => number;

/**
 * Folders come first, in any order. Names are compared as people count: `a2` before `a10`, `B`
 * after `a`. Equal sizes and dates are in the order of names; sizes of folders count as equal.
 */
export function ordering(sort: SortKey, isDescending: boolean): Compare {
  const sign = isDescending ? -1 : 1;
  const isDigit = (code: number) => code >= 48 && code <= 57;
  const folded = (code: number) => (code >= 65 && code <= 90 ? code + 32 : code);

  /** The end of the digits that begin here. */
  function digitsEnd(text: string, from: number): number {
    let to = from;
    while (to < text.length && isDigit(text.charCodeAt(to))) to++;
    return to;
  }

  function leadingZerosEnd(text: string, from: number, to: number): number {
    let at = from;
    while (at < to && text.charCodeAt(at) === 48) at++;
    return at;
  }

  function compareNames(one: string, other: string): number {
    let i = 0;
    let j = 0;
    while (i < one.length && j < other.length) {
      const a = folded(one.charCodeAt(i));
      const b = folded(other.charCodeAt(j));
      if (isDigit(a) && isDigit(b)) {
        const oneEnd = digitsEnd(one, i);
        const otherEnd = digitsEnd(other, j);
        const x = leadingZerosEnd(one, i, oneEnd);
        const y = leadingZerosEnd(other, j, otherEnd);
        if (oneEnd - x !== otherEnd - y) return oneEnd - x - (otherEnd - y);
        for (let k = 0; x + k < oneEnd; k++) {
          const difference = one.charCodeAt(x + k) - other.charCodeAt(y + k);
          if (difference !== 0) return difference;
        }
        i = oneEnd;
        j = otherEnd;
        continue;
      }
      if (a !== b) return a - b;
      i++;
      j++;
    }
    const rest = one.length - i - (other.length - j);
    if (rest !== 0) return rest;
    // Names that differ only in case or leading zeros.
    return one < other ? -1 : one > other ? 1 : 0;
  }

  return (one, other) => {
    if (one.isFolder !== other.isFolder) return one.isFolder ? -1 : 1;
    if (sort === 'size' && !one.isFolder && one.bytes !== other.bytes) {
      return sign * (one.bytes - other.bytes);
    }
    if (sort === 'date' && one.modifiedMs !== other.modifiedMs) {
      return sign * (one.modifiedMs - other.modifiedMs);
    }
    const names = compareNames(one.name, other.name);
    return sort === 'name' ? sign * names : names;
  };
}
