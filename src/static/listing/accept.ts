// Whether a client wants a listing as JSON rather than as a page, by its Accept field
// (RFC 9110 12.5.1).

const PAGE = ['text/html', 'text/*', '*/*'];
const JSON_TYPE = ['application/json', 'application/*', '*/*'];

/** A qvalue of RFC 9110 12.4.2. */
const WEIGHT = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/;

/** True when JSON has the greater weight. A field that cannot be parsed has no effect. */
export function prefersJson(accept: string | undefined): boolean {
  if (accept === undefined || accept === '') return false;
  const weights = new Map<string, number>();
  for (const element of accept.split(',')) {
    const [range, ...parameters] = element.split(';').map((part) => part.trim().toLowerCase());
    if (range === '') continue;
    const weight = weightOf(parameters);
    if (weight === null) return false;
    // The same range twice, as with another parameter: the greater weight.
    weights.set(range, Math.max(weight, weights.get(range) ?? 0));
  }
  return weightOfType(weights, JSON_TYPE) > weightOfType(weights, PAGE);
}

/** 1 without a weight, null for an invalid one. */
function weightOf(parameters: readonly string[]): number | null {
  for (const parameter of parameters) {
    if (!parameter.startsWith('q=')) continue;
    const text = parameter.slice(2);
    return WEIGHT.test(text) ? Number(text) : null;
  }
  return 1;
}

/** The most specific range decides. */
function weightOfType(weights: ReadonlyMap<string, number>, ranges: readonly string[]): number {
  for (const range of ranges) {
    const weight = weights.get(range);
    if (weight !== undefined) return weight;
  }
  return 0;
}
