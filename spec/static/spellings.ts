// Spellings of the path of a guarded file: every short one, and random long ones. Most of them name
// another file, or none; none may reach the file without running its guard.

import { randomFrom } from '../../testing/random.ts';

/** Replacements for one slash of a path. */
const SLASHES: readonly string[] = [
  '/',
  '//',
  '///',
  '%2f',
  '%2F',
  '/%2f',
  '%2f/',
  '%2f%2F',
  '/./',
  '/%2e/',
  '/%2E%2f',
  '/.%2f',
  '%2f.%2f',
  './',
  '%2e/',
  '/x/../',
  '/x//../',
  '/x/%2e%2E/',
  '/x/.%2e/',
  '/x/..%2f',
  '/x%2f../',
  '/x%2f..%2f',
  '/..%2f',
  '%2f../',
  '/../',
  '/..;/',
  '/..;x=1/',
  '/;/',
  ';/',
  ';x=1/',
  '\\',
  '%5c',
  '%5C',
  '/%5c',
  '/..%5c',
  '/x\\..\\',
  '/.../',
  '/..%20/',
  '%20/',
  '%09/',
  '%0a/',
  '%00/',
  '/%00',
  '%c0%af',
  '%e0%80%af',
  '%ef%bc%8f',
  '%e2%88%95',
  '%252f',
  '%252F',
  '%25252f',
  '/%252e%252e/',
  '/%25%32%65/',
  '%u002f',
  '?/',
  '#/',
  '%23/',
  '%3f/',
  '/%ef%bb%bf',
];

const FOLDERS: readonly string[] = [
  'admin',
  '%61dmin',
  'a%64min',
  '%61%64%6d%69%6e',
  '%61%64%6D%69%6E',
  'ADMIN',
  'Admin',
  '%41dmin',
  'admin.',
  'admin%2e',
  'admin%20',
  'admin;',
  'admin;x=1',
  'admin%3b',
  'admin%00',
  '%2561dmin',
  'ad\\min',
  '.admin',
  'admin~1',
  'ADMIN~1',
  '%ef%bd%81dmin',
  'adm%c4%b1n',
  'adm%c4%b0n',
];

const FILES: readonly string[] = [
  'secret.txt',
  '%73ecret.txt',
  'secret%2etxt',
  'secret%2Etxt',
  'SECRET.TXT',
  'secret.txt.',
  'secret.txt/',
  'secret.txt/.',
  'secret.txt/x/..',
  'secret.txt//',
  'secret.txt%2f',
  'secret.txt%2f.',
  'secret.txt;',
  'secret.txt%20',
  'secret.txt%00',
  'secret.txt%00.html',
  'secret.txt%5c',
  'secret.txt::$DATA',
  'secret.txt%3f',
  'secret.txt?x=/../',
  'secret.txt?%2f..%2f',
  'secret.txt#x',
  '',
  '.',
  '%2e',
  '..',
  'index.html',
  '%69ndex.html',
];

/** Text before the slash of an absolute path. */
const ORIGINS: readonly string[] = ['', 'http://h', 'HTTP://h:80', 'http://h/x/..', 'http://h/'];

function everyShortSpelling(prefix: string): string[] {
  const paths: string[] = [];
  for (const first of SLASHES) {
    for (const second of SLASHES) paths.push(`${prefix}${first}admin${second}secret.txt`);
  }
  for (const folder of FOLDERS) {
    for (const file of FILES) paths.push(`${prefix}/${folder}/${file}`);
  }
  for (const slash of SLASHES) {
    for (const folder of FOLDERS) paths.push(`${prefix}${slash}${folder}/secret.txt`);
    for (const file of FILES) paths.push(`${prefix}/admin${slash}${file}`);
  }
  for (const origin of ORIGINS) {
    for (const slash of SLASHES) paths.push(`${origin}${prefix}${slash}admin/secret.txt`);
  }
  return paths;
}

function randomOnes(prefix: string, count: number, seed: number): string[] {
  const random = randomFrom(seed);
  const one = (list: readonly string[]) => list[Math.floor(random() * list.length)];
  return Array.from({ length: count }, () => {
    let path = one(ORIGINS) + (random() < 0.8 ? prefix : `/x${one(SLASHES)}..${prefix}`);
    while (random() < 0.4) path += `${one(SLASHES)}${one(['x', '..', '.', 'admin', '%2e%2e', ''])}`;
    path += one(SLASHES) + one(FOLDERS);
    while (random() < 0.4) path += `${one(SLASHES)}${one(['x', '..', '.', 'admin', '%2e%2e', ''])}`;
    return path + one(SLASHES) + one(FILES);
  });
}

/** Targets that a lenient parser reads as `<prefix>/admin/secret.txt`, each once. */
export function spellings(prefix: string, randomCount: number, seed: number): readonly string[] {
  const all = [...everyShortSpelling(prefix), ...randomOnes(prefix, randomCount, seed)];
  // A target begins with a slash or a scheme, else it is not valid.
  return [...new Set(all)].filter((path) => /^(?:\/|http:)/i.test(path));
}
