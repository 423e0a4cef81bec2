// Validation by schemas of any library with the Standard Schema interface
// (https://standardschema.dev, version 1), such as zod, valibot and arktype.

import { PROBLEM_DETAIL_CHARACTERS_MAX, PROBLEM_ERRORS_MAX } from '../base/fixed-limits.ts';
import { shown } from '../base/shown.ts';
import { HttpError } from './http-error.ts';

/** A schema of any library: the part of its interface that is used. */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    /** The value, or what is wrong with it. */
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** What a schema returns: the value, or the problems of it. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

/** A problem that a schema has found in a value. */
export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** The type of a value that a schema accepted. */
export type SchemaOutput<Schema extends StandardSchema> = NonNullable<
  Schema['~standard']['types']
>['output'];

/** What is wrong with a value: where, as a JSON Pointer in a URI fragment (RFC 6901 6), and how. */
export interface ValidationProblem {
  readonly pointer: string;
  readonly detail: string;
}

/** True for a schema; arktype's are functions. */
export function isSchema(value: unknown): value is StandardSchema {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  const standard: unknown = (value as Record<string, unknown>)['~standard'];
  if (typeof standard !== 'object' || standard === null) return false;
  return typeof (standard as Record<string, unknown>)['validate'] === 'function';
}

/**
 * The value as the schema returns it. Rejects with HttpError 400, whose problem lists what is
 * wrong, when the value does not fit. An error of the schema itself is passed on.
 */
export async function validate(schema: unknown, value: unknown, what: string): Promise<unknown> {
  if (!isSchema(schema)) {
    const wanted = 'a schema has the Standard Schema interface, as those of zod and valibot';
    throw new TypeError(`validate: ${wanted}; given ${shown(schema)}`);
  }
  const result = await schema['~standard'].validate(value);
  if (typeof result !== 'object' || result === null) {
    throw new TypeError(`validate: the schema returned ${shown(result)} instead of a result`);
  }
  if (result.issues === undefined) return result.value;
  const errors = result.issues.slice(0, PROBLEM_ERRORS_MAX).map(problemOfIssue);
  throw new HttpError(400, `${what} is not valid`, { problem: { errors } });
}

function problemOfIssue({ message, path = [] }: SchemaIssue): ValidationProblem {
  let pointer = '#';
  for (const segment of path) {
    const key = typeof segment === 'object' ? segment.key : segment;
    pointer += `/${pointerSegment(String(key))}`;
  }
  return { pointer: shortened(pointer), detail: shortened(String(message)) };
}

/** `~` and `/` are escaped as RFC 6901 says, then all that a URI fragment cannot contain. */
function pointerSegment(key: string): string {
  const escaped = key.replaceAll('~', '~0').replaceAll('/', '~1');
  // encodeURIComponent() throws for half a surrogate pair, which a Buffer replaces.
  return encodeURIComponent(Buffer.from(escaped).toString());
}

/** A client can choose the keys, and make a message that repeats them. */
function shortened(text: string): string {
  if (text.length <= PROBLEM_DETAIL_CHARACTERS_MAX) return text;
  return `${text.slice(0, PROBLEM_DETAIL_CHARACTERS_MAX)}...`;
}
