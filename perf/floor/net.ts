// Frozen: do not tune, figures depend on it. What node:net costs by itself: a fixed response to
// every blank line received, no HTTP, no code of the server.
//
//   node build/perf/floor/net.js PORT hello|1024 [BYTES]
//
// Every request arrives in full, as with the loads that it is made for.

import { createServer } from 'node:net';
import { floorResponse } from './fixed-response.ts';

/** Responses in one write: more requests than this in one read end the connection. */
const COPIES = 64;
const BACKLOG = 4_096;
const CR = 13;
const LF = 10;

const [portText = '', responseName = '', bytesText = '0'] = process.argv.slice(2);
const response = floorResponse(responseName, Number(bytesText));
const responses = Buffer.concat(new Array<Buffer>(COPIES).fill(response));

const server = createServer({ noDelay: true }, (socket) => {
  socket.on('data', (chunk: Buffer) => {
    const wanted = blankLines(chunk) * response.length;
    if (wanted === response.length) socket.write(response);
    else if (wanted > responses.length) socket.destroy();
    else if (wanted > 0) socket.write(responses.subarray(0, wanted));
  });
  socket.on('error', () => socket.destroy());
});
server.listen({ host: '127.0.0.1', port: Number(portText), backlog: BACKLOG }, () => {
  console.log(`floor net on 127.0.0.1:${portText}, ${response.length} bytes an answer`);
});
process.on('disconnect', () => process.exit());
process.on('SIGTERM', () => process.exit());

/** How many lines of a chunk are empty: each ends a request. */
function blankLines(chunk: Buffer): number {
  let count = 0;
  let matched = 0;
  for (let index = 0; index < chunk.length; index++) {
    const byte = chunk[index];
    if (byte === CR) {
      matched = matched === 2 ? 3 : 1;
    } else if (byte === LF) {
      if (matched === 1) {
        matched = 2;
      } else {
        if (matched === 3) count += 1;
        matched = 0;
      }
    } else {
      matched = 0;
    }
  }
  return count;
}
