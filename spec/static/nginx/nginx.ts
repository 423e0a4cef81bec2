// nginx as the other server: its configuration, and a process of it for one folder.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PATHS = ['/usr/sbin/nginx', '/usr/bin/nginx', '/usr/local/sbin/nginx'];
export const NGINX: string = PATHS.find((path) => existsSync(path)) ?? '';
/** For the tests' `skip`. */
export const skip: string | false =
  NGINX === '' ? 'nginx is not installed: apt-get install nginx-light' : false;

const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
const START_MS_MAX = 10_000;

export interface Nginx {
  readonly port: number;
  stop(): Promise<void>;
}

export async function startNginx(root: string): Promise<Nginx> {
  const folder = mkdtempSync(join(tmpdir(), 'vibing-nginx-'));
  for (const name of TEMPORARY) mkdirSync(join(folder, name));
  const port = await freePort();
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, configuration(root, port));
  const child = spawn(NGINX, ['-p', folder, '-e', join(folder, 'error.log'), '-c', file], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  await accepting(child, port);
  return {
    port,
    stop: async () => {
      const closed = once(child, 'close');
      child.kill('SIGTERM');
      await closed;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function configuration(root: string, port: number): string {
  const temporary = TEMPORARY.map((name) => `  ${name}_temp_path ${name};`).join('\n');
  return `daemon off;
master_process off;
pid nginx.pid;
error_log error.log crit;
events { worker_connections 256; }
http {
${temporary}
  access_log off;
  sendfile on;
  gzip_static on;
  charset utf-8;
  charset_types text/plain text/css text/javascript application/javascript;
  large_client_header_buffers 4 32k;
  types {
    text/html html;
    text/css css;
    text/plain txt;
    text/javascript js;
    application/json json;
    image/svg+xml svg;
    text/xml xml;
    font/woff2 woff2;
    application/wasm wasm;
    video/mp4 mp4;
    application/vnd.apple.mpegurl m3u8;
    application/zip zip;
    application/gzip gz;
  }
  default_type application/octet-stream;
  server {
    listen 127.0.0.1:${port};
    root ${root};
    index index.html;
    absolute_redirect off;
  }
}
`;
}

async function accepting(child: ChildProcess, port: number): Promise<void> {
  const untilMs = Date.now() + START_MS_MAX;
  while (!(await accepts(port))) {
    if (child.exitCode !== null || Date.now() > untilMs) throw new Error('nginx did not start');
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port is free');
  return address.port;
}
