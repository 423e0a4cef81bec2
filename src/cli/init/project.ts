// The files of a project that `vibing init` makes: a server, its start, its tests, and what
// TypeScript and npm need.

export interface ProjectFile {
  /** Below the folder of the project, with slashes. */
  readonly path: string;
  readonly text: string;
}

/** The packages that it compiles with: those that this package is compiled with. */
export const PROJECT_PACKAGES: Readonly<Record<string, string>> = {
  '@types/node': '^20.19.43',
  typescript: '^7.0.2',
};
/** The versions of Node that the server runs on. */
export const PROJECT_ENGINES = '>=20.19';

/** `dependency` is the version of vibing, or where its folder is. */
export function projectFiles(name: string, dependency: string): readonly ProjectFile[] {
  return [
    { path: '.gitignore', text: 'node_modules/\ndist/\n' },
    { path: 'README.md', text: readme(name) },
    { path: 'package.json', text: manifest(name, dependency) },
    { path: 'src/main.ts', text: MAIN },
    { path: 'src/server.test.ts', text: TEST },
    { path: 'src/server.ts', text: SERVER },
    { path: 'tsconfig.json', text: COMPILER },
  ];
}

function manifest(name: string, dependency: string): string {
  const content = {
    name,
    version: '0.1.0',
    private: true,
    type: 'module',
    engines: { node: PROJECT_ENGINES },
    scripts: {
      build: 'tsc',
      start: 'npm run build && node dist/main.js',
      test: 'npm run build && cd dist && node --test',
    },
    dependencies: { vibing: dependency },
    devDependencies: PROJECT_PACKAGES,
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

const COMPILER = `{
  "compilerOptions": {
    "target": "es2023",
    "lib": ["es2023"],
    "types": ["node"],
    "module": "nodenext",
    "rootDir": "src",
    "outDir": "dist",
    "sourceMap": true,
    "erasableSyntaxOnly": true,
    "rewriteRelativeImportExtensions": true,
    "verbatimModuleSyntax": true,
    "strict": true,
    "noUnusedLocals": true,
    "noUnusedParameters": true,
    "skipLibCheck": true
  },
  "include": ["src"]
}
`;

const SERVER = `// The routes of the server. It does not listen yet: tests send requests without a
// port.

import { createServer, HttpError, problemDetails, type Server, type ServerOptions } from 'vibing';
import { accessLog, securityHeaders } from 'vibing/middleware';

const NOTES_MAX = 1_000;
const NOTE_CHARACTERS_MAX = 200;

interface Note {
  readonly id: number;
  readonly text: string;
}

/** Notes are in memory: each server, and each worker of it, has its own. */
export function makeServer(options: ServerOptions = {}): Server {
  const server = createServer({ healthz: true, ...options });
  const notes = new Map<number, Note>();
  let lastId = 0;

  // A middleware covers what is added after it. With logLevel 'silent', as in tests, there is no
  // access log.
  if (options.logLevel !== 'silent') server.use(accessLog());
  server.use(securityHeaders());
  // Errors are problem details (RFC 9457).
  server.onError(problemDetails);

  server.get('/', (_req, res) => res.html(PAGE));
  server.get('/api/notes', (_req, res) => res.json([...notes.values()]));

  server.get('/api/notes/:id(int)', (req, res) => {
    const note = notes.get(Number(req.params.id));
    if (note === undefined) throw new HttpError(404, 'no such note');
    res.json(note);
  });

  server.post('/api/notes', async (req, res) => {
    const text = noteText(await req.json());
    if (notes.size >= NOTES_MAX) throw new HttpError(409, \`there are \${NOTES_MAX} notes\`);
    const note = { id: ++lastId, text };
    notes.set(note.id, note);
    res.status(201).header('Location', \`/api/notes/\${note.id}\`).json(note);
  });

  return server;
}

function noteText(body: unknown): string {
  const text = typeof body === 'object' && body !== null && 'text' in body ? body.text : undefined;
  if (typeof text !== 'string' || text.trim() === '' || text.length > NOTE_CHARACTERS_MAX) {
    throw new HttpError(400, \`send {"text": "1 to \${NOTE_CHARACTERS_MAX} characters"}\`);
  }
  return text.trim();
}

const PAGE = \`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>It works</title>
<main>
  <h1>It works</h1>
  <p>The notes are at <a href="/api/notes">/api/notes</a>. Keep one:</p>
  <p><code>curl -d '{"text":"milk"}' http://127.0.0.1:8080/api/notes</code></p>
</main>
</html>
\`;
`;

const MAIN = `// Starts the server at HOST and PORT; a signal lets requests in flight finish.

import { makeServer } from './server.ts';

const host = process.env['HOST'] || '127.0.0.1';
const port = Number(process.env['PORT'] || 8080);

try {
  if (Number.isNaN(port)) {
    throw new Error(\`PORT: given "\${process.env['PORT']}", allowed: 0 to 65535\`);
  }
  const server = makeServer({ host, port });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void server.close());
  }
  const listening = await server.listen();
  const name = host.includes(':') ? \`[\${host}]\` : host;
  console.log(\`listening on http://\${name}:\${listening.port}/ (Ctrl-C stops it)\`);
} catch (error) {
  // The port is in use, or HOST or PORT is invalid: the message says which.
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
`;

const TEST = `// Requests to the server without a port, through the same parser and limits.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeServer } from './server.ts';

const server = makeServer({ logLevel: 'silent' });

test('has a page', async () => {
  const response = await server.inject('/');
  assert.equal(response.status, 200);
  assert.match(await response.text(), /<h1>It works<\\/h1>/);
});

test('keeps a note', async () => {
  const created = await server.inject({
    method: 'POST',
    target: '/api/notes',
    json: { text: 'milk' },
  });
  assert.equal(created.status, 201);
  const location = created.headers.get('location') ?? '';
  const note = await (await server.inject(location)).json();
  assert.deepEqual(note, { id: 1, text: 'milk' });
});

test('rejects what is no note, and says why', async () => {
  const empty = { method: 'POST', target: '/api/notes', json: { text: '' } };
  const response = await server.inject(empty);
  assert.equal(response.status, 400);
  assert.equal(response.headers.get('content-type'), 'application/problem+json');
});

test('has no other notes', async () => {
  assert.equal((await server.inject('/api/notes/7')).status, 404);
});
`;

function readme(name: string): string {
  return `# ${name}

An HTTP server with vibing.

\`\`\`sh
npm install
npm test      # compiles it, then sends requests to it without a port
npm start     # compiles it, then serves on http://127.0.0.1:8080/
\`\`\`

\`HOST=0.0.0.0 PORT=3000 npm start\` listens elsewhere. While you work, \`npx tsc --watch\` compiles
what you change, and \`node --watch dist/main.js\` in a second terminal restarts the server.

| file | what |
| --- | --- |
| \`src/server.ts\` | the routes |
| \`src/main.ts\` | listens, and ends by a signal |
| \`src/server.test.ts\` | tests of the routes |

Editors show the documentation of each function of the server, \`npx vibing --help\` has that of the
commands, and \`npx vibing serve --help\` every option. \`node_modules/vibing/README.md\` names the
pages about everything else.
`;
}
