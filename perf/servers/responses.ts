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

/** The response to GET /baseline11; a POST adds its body. */
export function sumOf(query: Iterable<readonly [string, string]>): number {
  let sum = 0;
  for (const [, value] of query) sum += Number(value);
  return sum;
}
