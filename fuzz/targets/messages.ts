// Mutations that know the syntax of HTTP: those of spec/model/, on the bytes after the control
// bytes.

import { generateInto } from '../../spec/model/generate.ts';
import { generateBody } from '../../spec/model/generate-body.ts';
import { mutateOnce } from '../../spec/model/mutate.ts';
import { Sink } from '../../spec/model/sink.ts';
import type { Mutation } from '../engine/mutator.ts';

/** One mutation in this many is a new message; the others change the message. */
const GENERATED_ONCE_IN = 24;

/** A sequence of requests. */
export const requests: Mutation = (draft, random, other) => {
  const { controlBytes } = draft;
  const memory = draft.bytes.subarray(controlBytes);
  const length = random.once(GENERATED_ONCE_IN)
    ? generateInto(random.draw, memory)
    : mutateOnce(
        random.draw,
        memory,
        draft.length - controlBytes,
        other.subarray(Math.min(controlBytes, other.length)),
      );
  draft.length = controlBytes + length;
};

/** A chunked body. */
export const chunks: Mutation = (draft, random, other) => {
  if (!random.once(GENERATED_ONCE_IN)) {
    requests(draft, random, other);
    return;
  }
  const sink = new Sink(draft.bytes.subarray(draft.controlBytes));
  generateBody(random.draw, sink);
  draft.length = draft.controlBytes + sink.length;
};
