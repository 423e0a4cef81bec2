// The writers of the two standard streams. All servers of a process share the writers, which buffer
// a bounded amount for each stream and write the rest when the process exits.

import { standardSink } from './line-sink.ts';
import { LineWriter } from './line-writer.ts';

export interface StandardStreams {
  readonly output: LineWriter;
  readonly error: LineWriter;
}

let streams: StandardStreams | null = null;

/** Created by the first call: a server without free descriptors must be able to report that. */
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
