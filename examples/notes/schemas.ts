// What clients of the notes may send.

import { z } from 'zod';

const NAME_CHARACTERS_MAX = 40;
const PASSWORD_CHARACTERS_MIN = 10;
const PASSWORD_CHARACTERS_MAX = 200;
const NOTE_CHARACTERS_MAX = 10_000;

export interface Credentials {
  readonly name: string;
  readonly password: string;
}

/** Names are letters and digits of ASCII in one case: none looks like another. */
export const CREDENTIALS: z.ZodType<Credentials> = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9_-]+$/, 'use a to z, 0 to 9, _ and -')
    .max(NAME_CHARACTERS_MAX),
  password: z.string().min(PASSWORD_CHARACTERS_MIN).max(PASSWORD_CHARACTERS_MAX),
});

/** No control characters except a tab and line ends: JSON has six bytes for each. */
const text = z
  .string()
  .regex(/^[\t\n\r\P{C}\p{Cf}\p{Co}\p{Cn}]*$/u, 'this character is not allowed')
  .min(1)
  .max(NOTE_CHARACTERS_MAX);

export const NEW_NOTE: z.ZodType<{ readonly text: string }> = z.strictObject({ text });

/** With the version that the client has seen. */
export const CHANGED_NOTE: z.ZodType<{ readonly text: string; readonly version: number }> =
  z.strictObject({ text, version: z.int().min(1) });
