// A program for the tests of server.closing: one of two listeners throws. It prints each event.

import { createServer } from '../../../src/index.ts';
import type { DriverName } from '../../../testing/with-server.ts';

process.on('uncaughtException', (error) => console.log(`uncaught: ${error.message}`));

const driver = process.argv[2] as DriverName;
const server = createServer({ host: '127.0.0.1', port: 0, driver, logLevel: 'silent' });
await server.listen();
server.closing.addEventListener('abort', () => {
  throw new Error('on purpose');
});
server.closing.addEventListener('abort', () => console.log('aborted'));
await server.close();
console.log('closed');
