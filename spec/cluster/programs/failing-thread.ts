// A thread that ends as soon as it is asked for something.

import { parentPort } from 'node:worker_threads';

parentPort?.once('message', () => process.exit(1));
