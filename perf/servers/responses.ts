// What every server that is compared answers with. It imports nothing, so that any runtime can load
// it.

/** GET /users/ID, but for the ID. */
export const USER: Readonly<Record<string, string | number | boolean | readonly string[]>> = {
  id: '42',
  name: 'Ada Lovelace',
  email: 'ada@example.com',
  roles: ['author', 'reviewer'],
  active: true,
  logins: 1815,
};

/** GET and POST /baseline11. */
export function sumOf(query: Iterable<readonly [string, string]>): number {
  let sum = 0;
  for (const [, value] of query) sum += Number(value);
  return sum;
}
