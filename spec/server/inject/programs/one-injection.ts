// Injects requests and ends: nothing closes the server, and nothing must keep the process alive.
// The second request waits for a timeout of the server, the third one leaves content unread.

import { createServer } from '../../../../src/index.ts';

const server = createServer({ handlerTimeoutMs: 50, logLevel: 'silent' });
server.get('/', (_req, res) => res.text('hello'));
server.get('/never', () => new Promise(() => {}));
server.get('/long', (_req, res) => res.send('x'.repeat(1_000_000)));

console.log(await (await server.inject('/')).text());
console.log((await server.inject('/never')).status);
console.log((await server.inject('/long')).status);
