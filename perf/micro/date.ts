// Measures HTTP dates: the Date field within a second and when the next one begins, and parsing the
// three forms that a client may send.

import { do_not_optimize as keep } from 'mitata';
import { DateField, formatDate, parseDate } from '../../src/http/date.ts';
import { parseFixdate } from '../../src/http/fixdate.ts';
import type { BenchCase } from '../bench/case.ts';

const WALL_MS = 784_111_777_000;
const FORMS = [
  ['IMF-fixdate', 'Sun, 06 Nov 1994 08:49:37 GMT'],
  ['RFC 850', 'Sunday, 06-Nov-94 08:49:37 GMT'],
  ['asctime', 'Sun Nov  6 08:49:37 1994'],
] as const;

export function dateCases(): readonly BenchCase[] {
  const field = new DateField();
  const fixdate = Buffer.from(FORMS[0][1]);
  if (parseFixdate(fixdate, 0, fixdate.length) !== WALL_MS) throw new Error('parsed wrongly');
  let wallMs = WALL_MS;
  return [
    { name: 'Date, the same second', run: () => field.update(WALL_MS) },
    {
      name: 'Date, the next second',
      run: () => {
        wallMs += 1000;
        field.update(wallMs);
      },
    },
    { name: 'formatDate', run: () => keep(formatDate(WALL_MS)) },
    { name: 'parseFixdate', run: () => keep(parseFixdate(fixdate, 0, fixdate.length)) },
    ...FORMS.map(([form, text]) => {
      if (parseDate(text, WALL_MS) !== WALL_MS) throw new Error(`${form} is parsed wrongly`);
      return { name: `parseDate, ${form}`, run: () => keep(parseDate(text, WALL_MS)) };
    }),
  ];
}
