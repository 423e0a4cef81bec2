// Serves a folder, with all that serveStatic can do as options, and prints the addresses at which
// other devices reach it.
// usage: npm run example:static-server -- [address] [directory] [options]

import cluster from 'node:cluster';
import { statSync } from 'node:fs';
import { createServer } from 'vibing';
import { accessLog, compress } from 'vibing/middleware';
import { type StaticOptions, serveStatic } from 'vibing/static';
import {
  fail,
  failListening,
  type Given,
  readAddress,
  readNumber,
  readOptions,
  urlsOf,
} from './address.ts';

const USAGE = `usage: static-server [address] [directory] [options]
  address               host:port or a port; 0 is any free one (default 127.0.0.1:8082);
                        0.0.0.0:8082 is for all devices of the network
  directory             the folder to serve (default ./examples/site)
  --no-listing          do not list folders without an index file
  --index NAMES         the files that are sent for a folder, with commas (default index.html)
  --extensions NAMES    extensions that a path may omit, with commas: html
  --spa                 send the index of the folder for paths without a file
  --spa-page PAGE       send this page for them
  --not-found PAGE      the page for paths without a file, with status 404
  --precompressed       send the .br, .zst or .gz beside a file
  --compress            compress the others while they are sent
  --cache-control TEXT  the Cache-Control of all files (default: by their names)
  --headers JSON        further fields by pattern: '{"*.pdf": {"X-Robots-Tag": "noindex"}}'
  --mime-types JSON     media types by extension: '{"gmi": "text/gemini"}'
  --dotfiles            serve names that begin with a dot
  --symlinks WHICH      inside, none or all (default inside)
  --workers N           processes that serve (default 1)
  --help                this text`;

const given = readOptions(USAGE, 2, {
  listing: 'switch',
  index: 'text',
  extensions: 'text',
  spa: 'switch',
  'spa-page': 'text',
  'not-found': 'text',
  precompressed: 'switch',
  compress: 'switch',
  'cache-control': 'text',
  headers: 'text',
  'mime-types': 'text',
  dotfiles: 'switch',
  symlinks: 'text',
  workers: 'text',
});
const [where = '127.0.0.1:8082', directory = './examples/site'] = given.words;
const address = readAddress(where);
const found = statSync(directory, { throwIfNoEntry: false });
if (!found?.isDirectory()) {
  const why = found === undefined ? 'it does not exist' : 'it is not a directory';
  fail(`invalid directory ${JSON.stringify(directory)}: ${why}`);
}
const workers = readNumber('workers', given.text('workers') ?? '1', 1, 64);

const server = createServer({ ...address, workers });
server.use(accessLog());
if (given.isOn('compress') === true) server.use(compress());
server.use(files(directory, optionsOf(given)));

function optionsOf(options: Given): StaticOptions {
  const { text, isOn } = options;
  // The message of serveStatic does not have the items of a list.
  const names = (name: string, wanted: string) => {
    const list = text(name)?.split(',');
    if (list?.every((one) => /^[^./\\][^/\\]*$/.test(one)) !== false) return list;
    return fail(`--${name}: ${wanted}, given ${JSON.stringify(text(name))}`);
  };
  const all = {
    listing: isOn('listing') ?? true,
    index: names('index', 'names of files, as index.html,index.htm'),
    extensions: names('extensions', 'extensions without their dot, as html,txt'),
    spa: text('spa-page') ?? isOn('spa'),
    notFound: text('not-found'),
    precompressed: isOn('precompressed'),
    cacheControl: text('cache-control'),
    headers: json('headers', text('headers')),
    mimeTypes: json('mime-types', text('mime-types')),
    dotfiles: isOn('dotfiles'),
    symlinks: text('symlinks'),
  };
  // What was not given has the default of serveStatic.
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

function json(name: string, text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return fail(`--${name}: no JSON, given ${JSON.stringify(text)}`);
  }
}

function files(root: string, options: StaticOptions) {
  try {
    return serveStatic(root, options);
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}

const { port } = await server.listen().catch(failListening);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  // Ctrl-C reaches the workers too; the first process closes them.
  if (cluster.isPrimary) process.once(signal, () => void server.close());
}
if (cluster.isPrimary) {
  const [first, ...others] = urlsOf(address.host, port);
  console.log(`static server for ${directory} on ${first} (Ctrl-C stops it)`);
  for (const url of others) console.log(`  from other devices: ${url}`);
}
