// Starts nginx with one process and its fastest settings for a fixed response and for files, in a
// temporary folder.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, type ServerChild, startCommand } from '../measure/child-process.ts';
import { isOnPath } from '../system/prerequisites.ts';

export const NGINX_MISSING = 'nginx is not installed: apt-get install nginx-light';

/** Folders for temporary files, which nginx would otherwise create outside of ours. */
const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];

const FILE_KIB = { '1k': 1, '16k': 16, '64k': 64, '256k': 256, '1m': 1024 };

/** Debian installs nginx outside of the PATH of ordinary users. */
function program(): string {
  return isOnPath('nginx') ? 'nginx' : '/usr/sbin/nginx';
}

export function hasNginx(): boolean {
  return isOnPath('nginx') || isOnPath('nginx', '/usr/sbin');
}

/** Runs as the current user; `connections` is the most it has to hold. */
export async function startNginx(core: number, connections: number): Promise<ServerChild> {
  if (!hasNginx()) throw new Error(NGINX_MISSING);
  const folder = mkdtempSync(join(tmpdir(), 'vibing-nginx-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  for (const name of [...TEMPORARY, 'html']) mkdirSync(join(folder, name));
  for (const [name, kib] of Object.entries(FILE_KIB)) {
    writeFileSync(join(folder, 'html', `file-${name}.txt`), 'x'.repeat(kib * 1024));
  }
  const port = await freePort();
  const configuration = join(folder, 'nginx.conf');
  writeFileSync(configuration, nginxConfiguration(port, connections));
  const log = join(folder, 'error.log');
  const command = [program(), '-p', folder, '-e', log, '-c', configuration];
  return startCommand('nginx', command, { core, port });
}

export function nginxConfiguration(port: number, connections: number): string {
  const temporary = TEMPORARY.map((name) => `  ${name}_temp_path ${name};`).join('\n');
  return `daemon off;
master_process off;
pid nginx.pid;
error_log error.log crit;
worker_rlimit_nofile ${2 * connections + 64};
events {
  use epoll;
  multi_accept on;
  worker_connections ${connections + 64};
}
http {
${temporary}
  access_log off;
  sendfile on;
  open_file_cache max=100 inactive=1h;
  open_file_cache_valid 1h;
  open_file_cache_errors on;
  if_modified_since before;
  log_not_found off;
  tcp_nopush on;
  tcp_nodelay on;
  keepalive_requests 2000000000;
  keepalive_timeout 1h;
  default_type text/plain;
  server {
    listen 127.0.0.1:${port} reuseport backlog=4096;
    location / {
      return 200 "Hello, World!";
    }
    location /file- {
      root html;
    }
  }
}
`;
}
