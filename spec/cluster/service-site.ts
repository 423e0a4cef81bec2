// A folder with a small site for tests of real services, and queries of their processes.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { endAll } from './service-process.ts';

/** For each test; several processes start in one. */
export const BOUND: { readonly timeout: number } = { timeout: 60_000 };

export const folder: string = mkdtempSync(join(tmpdir(), 'vibing-service-'));
export const site: string = join(folder, 'site');
mkdirSync(site);
writeFileSync(join(site, 'hello.txt'), 'hello\n');
after(() => {
  endAll();
  rmSync(folder, { recursive: true });
});

let names = 0;
/** An unused path. */
export function fresh(name: string): string {
  names += 1;
  return join(folder, `${names}-${name}`);
}

/** The file of the site, over a new connection. */
export function fetched(
  where: { readonly port: number } | { readonly socketPath: string },
): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', ...where, path: '/hello.txt', agent: false }, async (response) => {
      let text = '';
      for await (const chunk of response.setEncoding('utf8')) text += chunk;
      resolve(text);
    }).on('error', reject);
  });
}

/** The running children of `pid`. */
export function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .filter((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === pid;
      } catch {
        return false;
      }
    })
    .map(Number);
}

export function environmentOf(pid: number): string[] {
  return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
}
