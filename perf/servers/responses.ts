// The responses that all compared servers share. It imports nothing, so that any runtime can load
// it.

/** The response to GET /users/ID, except for the ID. */
export const USER: Readonly<Record<string, string | number | boolean | readonly string[]>> = {
  id: '42',
  name: 'Ada Lovelace',
  email: 'ada@example.com',
  roles: ['author', 'reviewer'],
  active: true,
  logins: 1815,
};

/** What a client of GET /checked/users/ID sends. */
export const BEARER = 'Bearer c2VjcmV0LW9mLWEtYmVuY2htYXJr';

/** The body of POST /orders, and its response. */
export interface Order {
  readonly customer: string;
  readonly lines: readonly {
    readonly item: string;
    readonly count: number;
    readonly cents: number;
  }[];
}

export function receiptOf({ customer, lines }: Order): object {
  let cents = 0;
  for (const line of lines) cents += line.count * line.cents;
  return { customer, lines: lines.length, cents, accepted: true };
}

/** The response to GET /catalogue: 10 KB of JSON. */
export const CATALOGUE: { readonly items: readonly object[] } = {
  items: Array.from({ length: 85 }, (_, index) => ({
    id: index + 1,
    name: `Item number ${(index * 7919) % 1000}`,
    seller: `seller-${(index * 31) % 47}@example.com`,
    tags: [['new', 'sale'], ['used'], []][index % 3],
    cents: (index * 3777) % 10_000,
    available: index % 4 !== 0,
  })),
};

/** The response to GET /baseline11; a POST adds its body. */
export function sumOf(query: Iterable<readonly [string, string]>): number {
  let sum = 0;
  for (const [, value] of query) sum += Number(value);
  return sum;
}
