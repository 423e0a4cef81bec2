// The properties of a kind of request; what is left out has a default.

import type { Expected, Part, RequestKind } from './expected.ts';

export interface Draft {
  readonly kind: RequestKind;
  readonly method?: string;
  readonly target: string;
  readonly fields?: readonly string[];
  readonly minor?: number;
  readonly body?: readonly Part[];
  readonly status?: number;
  readonly response: Expected['body'];
  readonly responseFields?: Expected['fields'];
  readonly close?: Expected['close'];
  readonly truncated?: boolean;
  readonly usesFiles?: boolean;
  readonly takesMs?: number;
  /** Bytes of a field that no handler reads. */
  readonly paddingBytes?: number;
}
