// The writers of the two standard streams. The streams are the process's, so all servers in it
// share the writers, which hold a bounded amount for each stream and write the rest at its end.

import { standardSink } from './line-sink.ts';
import { LineWriter } from './line-writer.ts';

export interface StandardStreams {
  readonly output: LineWriter;
  readonly error: LineWriter;
}

let streams: StandardStreams | null = null;

/** Made at the first call: a server that has run out of descriptors must be able to say so. */
export function standardStreams(): StandardStreams {
  if (streams === null) {
    const made = {
      output: new LineWriter(standardSink(1)),
      error: new LineWriter(standardSink(2)),
    };
    process.on('exit', () => {
      made.output.flushNow();
      made.error.flushNow();
    });
    streams = made;
  }
  return streams;
}
