// Options of the calls that read a body.

import { type OptionRule, wholeNumber } from '../base/options.ts';
import { isSchema, type StandardSchema } from './standard-schema.ts';

/** Options of the calls that read a body. */
export interface BodyOptions {
  /** The most bytes, instead of body_bytes_max (413). */
  readonly limit?: number;
}

/** Options of json() and form(). */
export interface ValidatedOptions<Schema extends StandardSchema = StandardSchema>
  extends BodyOptions {
  /** Checks the value and returns what the handler gets (400). */
  readonly validate?: Schema;
}

export const BODY_RULES: Readonly<Record<string, OptionRule>> = { limit: wholeNumber('bytes') };
const SCHEMA: OptionRule = {
  wanted: 'a schema with the Standard Schema interface, as those of zod and valibot',
  fits: isSchema,
};
export const VALIDATED_RULES: Readonly<Record<string, OptionRule>> = {
  ...BODY_RULES,
  validate: SCHEMA,
};
