// `vibing compress` on real folders: which variants are made, kept and removed, links, errors, and
// an interruption at any moment.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as zlib from 'node:zlib';
import { CODINGS, isCompressible } from '../../src/cli/compress/codings.ts';
import { compress } from '../../src/cli/compress/compress.ts';
import { parseCompressFlags } from '../../src/cli/compress/flags.ts';
import { isLeftBehind } from '../../src/cli/compress/walk.ts';
import { Random } from '../../testing/random.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const TEXT = 'the same words again and again, '.repeat(200);
const posixOnly = process.platform === 'win32' ? { skip: 'Windows has no such files' } : {};
const FAST = ['--level', 'fast'];

let folder: string;

beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'vibing-compress-')), 'site');
  mkdirSync(folder);
});

afterEach(() => {
  rmSync(dirname(folder), { recursive: true, force: true });
});

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(...args: readonly string[]): Promise<Ran> {
  let out = '';
  let err = '';
  const code = await compress(args, {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    columns: 0,
    onInterrupt: () => {},
    exit: () => {
      throw new Error('exit');
    },
  });
  return { code, out, err };
}

function write(name: string, content: string | Uint8Array = TEXT, seconds = 1_600_000_000): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  utimesSync(path, seconds, seconds);
  return path;
}

/**
 * Every name below the folder, with hidden ones. A link is a name: the recursive readdirSync() of
 * Node 24 lists what is behind it.
 */
function names(): string[] {
  return namesIn('').sort();
}

function namesIn(below: string): string[] {
  const entries = readdirSync(join(folder, below), { withFileTypes: true });
  return entries.flatMap((entry) => {
    const name = join(below, entry.name);
    return entry.isDirectory() ? namesIn(name) : [name];
  });
}

function noise(length: number): Uint8Array {
  const random = new Random(11);
  return Uint8Array.from({ length }, () => random.below(256));
}

describe('the variants', () => {
  it('are those of every available coding, with time and mode of the file', async () => {
    const path = write('page.html', TEXT, 1_600_000_000);
    chmodSync(path, 0o666);
    const { code, out, err } = await run(folder, ...FAST);
    assert.deepEqual([code, err], [0, '']);
    const decoders: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = {
      br: zlib.brotliDecompressSync,
      gzip: zlib.gunzipSync,
      ...('zstdDecompressSync' in zlib && {
        zstd: zlib.zstdDecompressSync as (bytes: Uint8Array) => Uint8Array,
      }),
    };
    const expected = ['page.html'];
    for (const { extension, isAvailable, name } of CODINGS) {
      if (!isAvailable) continue;
      expected.push(`page.html${extension}`);
      const variant = path + extension;
      assert.equal(Buffer.from(decoders[name](readFileSync(variant))).toString(), TEXT);
      assert.equal(statSync(variant, { bigint: true }).mtimeNs, 1_600_000_000_000_000_000n);
      if (process.platform !== 'win32') assert.equal(statSync(variant).mode & 0o777, 0o666);
      assert.match(out, new RegExp(`^${name} +6\\.4 kB -> \\S+ B \\(9\\d % smaller\\), 1 w`, 'm'));
    }
    assert.deepEqual(names(), expected.sort());
    assert.match(out, /^1 file\n/);
  });

  it('are never older than their file, whatever its time', async () => {
    const random = new Random(5);
    for (let count = 0; count < 40; count++) {
      const path = write('a.css');
      const seconds = random.below(2_000_000_000) + random.below(1e6) / 1e6;
      utimesSync(path, seconds, seconds);
      await run(folder, '-f', '-e', 'gzip', ...FAST);
      const original = statSync(path, { bigint: true }).mtimeNs;
      const variant = statSync(`${path}.gz`, { bigint: true }).mtimeNs;
      assert.ok(variant >= original, `${variant} is before ${original}`);
      assert.ok(variant - original < 3_000n, `${variant} is long after ${original}`);
    }
  });

  it('of no files are one line', async () => {
    write('small.js', 'x');
    assert.deepEqual((await run(folder)).out, '0 files, 1 too small\n');
  });

  it('are made of compressible files only, below hidden names of none', async () => {
    for (const name of ['a.js', 'b.PNG', 'c', 'd.tar.gz', '.hidden.js', '.git/x.js']) write(name);
    write('.well-known/x.json');
    write('sub/deep/e.svg');
    write('small.js', 'x'.repeat(1_023));
    write('limit.js', 'x'.repeat(1_024));
    const { code, out } = await run(folder, '--encodings=gzip', ...FAST);
    assert.equal(code, 0);
    assert.deepEqual(
      names().filter((name) => name.endsWith('.gz')),
      ['.well-known/x.json.gz', 'a.js.gz', 'd.tar.gz', 'limit.js.gz', 'sub/deep/e.svg.gz'],
    );
    assert.match(out, /^4 files, 1 too small\n/);
  });

  it('are left alone when they are current, and made again with --force', async () => {
    const path = write('a.js');
    await run(folder, '-e', 'br', ...FAST);
    writeFileSync(`${path}.br`, 'kept');
    utimesSync(`${path}.br`, 1_600_000_000, 1_600_000_000);
    assert.match((await run(folder, '-e', 'br', ...FAST)).out, /0 written, 1 current/);
    assert.equal(readFileSync(`${path}.br`, 'utf8'), 'kept');
    utimesSync(path, 1_600_000_001, 1_600_000_001);
    assert.match((await run(folder, '-e', 'br', ...FAST)).out, /1 written, 0 current/);
    assert.equal(zlib.brotliDecompressSync(readFileSync(`${path}.br`)).toString(), TEXT);
    writeFileSync(`${path}.br`, 'replaced');
    assert.match((await run(folder, '-e', 'br', '-f', ...FAST)).out, /1 written/);
    assert.notEqual(readFileSync(`${path}.br`, 'utf8'), 'replaced');
  });

  it('that would not be smaller are not kept, and a stale one is removed', async () => {
    write('noise.txt', noise(5_000));
    const kept = write('now-small.txt', 'x');
    for (const name of ['noise.txt.gz', 'now-small.txt.gz']) write(name, 'stale', 1_500_000_000);
    const { out } = await run(folder, '-e', 'gzip', ...FAST);
    assert.deepEqual(names(), ['noise.txt', 'now-small.txt']);
    assert.match(out, /0 written, 0 current, 2 stale removed/);
    assert.match((await run(folder, '-e', 'gzip', ...FAST)).out, /1 not smaller\n/);
    // A current variant of a small file may have been made with another limit.
    writeFileSync(`${kept}.gz`, 'current');
    await run(folder, '-e', 'gzip', ...FAST);
    assert.ok(existsSync(`${kept}.gz`));
  });

  it('whose original is gone stay, unless --prune is given', async () => {
    for (const name of ['gone.js.br', 'gone.css.gz', 'archive.tar.gz', 'noise.gz']) write(name);
    const own = `.a.js.br.${process.pid}-1.vibing-tmp`;
    // No process has this number.
    for (const name of [own, '.a.js.br.999999999-1.vibing-tmp']) write(name);
    write('here.js');
    await run(folder, '-e', 'br', ...FAST);
    assert.ok(names().includes('gone.js.br'));
    const dry = await run(folder, '-e', 'br,gzip', '--prune', '-n', ...FAST);
    assert.match(dry.out, /^would remove .*gone\.js\.br$/m);
    assert.ok(names().includes('gone.js.br'));
    const { out } = await run(folder, '-e', 'br', '--prune', ...FAST);
    assert.match(out, /^1 file, 2 orphans removed\n/);
    const archives = ['archive.tar.gz', 'gone.css.gz', 'noise.gz'];
    assert.deepEqual(names(), [own, ...archives, 'here.js', 'here.js.br'].sort());
  });

  it('of a dry run are only printed', async () => {
    write('a.js');
    const { code, out } = await run(folder, '--dry-run', '-e', 'gzip', ...FAST);
    assert.equal(code, 0);
    assert.match(out, /^would write .*a\.js\.gz, 6,400 -> \d+ bytes$/m);
    assert.match(out, /^1 file \(dry run: nothing was changed\)\n/m);
    assert.deepEqual(names(), ['a.js']);
  });

  it('are made without a word with --quiet', async () => {
    write('a.js');
    assert.deepEqual(await run(folder, '--quiet', ...FAST), { code: 0, out: '', err: '' });
    assert.ok(names().length > 1);
  });
});

describe('links', posixOnly, () => {
  it('are never followed, neither to originals nor to folders nor to variants', async () => {
    const outside = join(dirname(folder), 'outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'secret.js'), TEXT);
    symlinkSync(outside, join(folder, 'folder'));
    symlinkSync(join(outside, 'secret.js'), join(folder, 'secret.js'));
    write('a.js');
    symlinkSync(join(outside, 'victim'), join(folder, 'a.js.gz'));
    const { code, err } = await run(
      folder,
      '--encodings=gzip',
      '--min-bytes=0',
      '--prune',
      ...FAST,
    );
    assert.deepEqual([code, err], [0, '']);
    assert.deepEqual(readdirSync(outside), ['secret.js']);
    assert.deepEqual(names(), ['a.js', 'a.js.gz', 'folder', 'secret.js']);
    assert.ok(lstatSync(join(folder, 'a.js.gz')).isFile(), 'the link was replaced');
  });
});

describe('errors', () => {
  it('of one file are listed, and the others are compressed', posixOnly, async () => {
    write('a.js');
    write('b.js');
    mkdirSync(join(folder, 'a.js.gz'));
    const { code, out, err } = await run(folder, '-e', 'gzip', ...FAST);
    assert.equal(code, 1);
    assert.match(err, /^vibing: .*a\.js: .*\n$/);
    assert.match(out, /^2 files, 1 error\n/);
    assert.deepEqual(names(), ['a.js', 'b.js', 'b.js.gz']);
  });

  it('of arguments are all reported, and nothing is done', async () => {
    write('a.js');
    for (const [args, problem] of [
      [[], /^vibing: a directory is needed/],
      [[join(folder, 'nothing')], /no such file or directory \(ENOENT\)/],
      [[join(folder, 'a.js')], /not a directory/],
      [[folder, 'other'], /"other": unexpected argument/],
      [[folder, '--levle', 'best'], /--levle: no such flag; did you mean --level\?/],
      [[folder, '--level', '11'], /--level: given "11", allowed: fast, good, best/],
      [[folder, '--level'], /--level needs a value/],
      [[folder, '--jobs', '0'], /--jobs: given "0", allowed: an integer from 1 to 64/],
      [[folder, '--min-bytes=-1'], /--min-bytes: given "-1", allowed: an integer from 0/],
      [
        [folder, '--encodings', 'br,deflate'],
        /--encodings: given "deflate", allowed: br, gzip, zstd/,
      ],
      [[folder, '--force=yes'], /--force takes no value/],
    ] as const) {
      const { code, out, err } = await run(...args);
      assert.equal(code, 2, err);
      assert.match(err, problem);
      assert.equal(out, '');
    }
    assert.deepEqual(names(), ['a.js']);
    assert.equal(parseCompressFlags(['-x', '-y', 'd']).problems.length, 2);
  });
});

it('knows which types compress', () => {
  for (const name of 'a.html a.css a.mjs a.json a.svg a.xml a.md a.wasm a.map a.ico'.split(' ')) {
    assert.ok(isCompressible(name), name);
  }
  for (const name of 'a.js a.txt a.ttf a.webmanifest a.csv a.rss a.HTML a.b.js'.split(' ')) {
    assert.ok(isCompressible(name), name);
  }
  for (const name of 'a.png a.jpg a.woff2 a.mp4 a.zip a.gz a a.bin a.ts a.pdf .js'.split(' ')) {
    assert.equal(isCompressible(name), name === '.js', name);
  }
});

describe('the command', { timeout: 60_000 }, () => {
  it('has a help', async () => {
    const { code, out } = await run('--help');
    assert.equal(code, 0);
    assert.match(out, /^vibing compress: /);
    for (const flag of [
      '--encodings',
      '--level',
      '--min-bytes',
      '--jobs',
      '--dry-run',
      '--prune',
    ]) {
      assert.ok(out.includes(flag), flag);
    }
  });

  it('leaves complete files only when it is interrupted', posixOnly, async () => {
    const words = Array.from(noise(600_000), (byte) => String.fromCharCode(97 + (byte % 23)));
    for (let index = 0; index < 4; index++) write(`large-${index}.txt`, words.join(''));
    const child = spawn(process.execPath, [MAIN, 'compress', folder, '-e', 'br'], {
      stdio: 'ignore',
    });
    const ended = new Promise((resolve) => child.once('close', resolve));
    while (!names().some((name) => name.endsWith('.vibing-tmp'))) {
      assert.equal(child.exitCode, null, 'it ended before a temporary file was seen');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    child.kill('SIGINT');
    assert.equal(await ended, 130);
    assert.ok(!names().some((name) => name.endsWith('.vibing-tmp')), names().join());
    for (const name of names().filter((one) => one.endsWith('.br'))) {
      zlib.brotliDecompressSync(readFileSync(join(folder, name)));
    }
  });
});

describe('at a limit', () => {
  it('a variant that is as long as its file is not kept', async () => {
    // Noise with some repetition: for one length both are the same.
    const gzip = (bytes: Uint8Array): number =>
      zlib.gzipSync(bytes, { level: 4, memLevel: 9 }).length;
    const [base, found] = [noise(2_000), [] as Uint8Array[]];
    for (let count = 0; count < 300 && found.length === 0; count++) {
      const bytes = Buffer.concat([base, Buffer.alloc(count, 'a')]);
      if (gzip(bytes) === bytes.length) found.push(bytes);
    }
    assert.equal(found.length, 1, 'there is such a file');
    write('a.txt', found[0]);
    const { out } = await run(folder, ...FAST, '--encodings', 'gzip');
    assert.deepEqual(names(), ['a.txt']);
    assert.match(out, /, 1 not smaller$/m);
  });

  it('a dry run removes nothing, and says nothing with --quiet', async () => {
    write('noise.txt', noise(3_000), 1_600_000_100);
    write('noise.txt.gz', 'stale', 1_600_000_000);
    write('gone.txt.gz', 'orphan');
    const before = names();
    const args = [folder, ...FAST, '--dry-run', '--prune', '--encodings=gzip'];
    const { out } = await run(...args);
    assert.match(out, /^would remove .*noise\.txt\.gz$/m);
    assert.match(out, /^would remove .*gone\.txt\.gz$/m);
    assert.match(out, /1 orphan removed \(dry run: nothing was changed\)$/m);
    assert.equal((await run(...args, '--quiet')).out, '');
    assert.deepEqual(names(), before);
  });

  it('a dry run says how long the variants become', async () => {
    write('a.txt', Buffer.concat([noise(100_000), Buffer.from(TEXT)]));
    const dry = (await run(folder, ...FAST, '--dry-run')).out;
    const wet = (await run(folder, ...FAST)).out;
    for (const { extension, isAvailable } of CODINGS) {
      if (!isAvailable) continue;
      const bytes = statSync(join(folder, `a.txt${extension}`)).size.toLocaleString('en-US');
      assert.ok(dry.includes(`a.txt${extension}, 106,400 -> ${bytes} bytes\n`), dry);
    }
    assert.ok(dry.endsWith(wet.slice(wet.indexOf('\n'))), `${dry}${wet}`);
  });

  it('a second run shows the same sizes', async () => {
    write('a.txt');
    const sizes = /\d \w+ -> \d+ \w+ \(\d+ % smaller\)/;
    const [first, second] = [await run(folder, ...FAST), await run(folder, ...FAST)].map(
      ({ out }) => sizes.exec(out)?.[0],
    );
    assert.ok(first !== undefined);
    assert.equal(second, first);
  });

  it('a file of another process is left behind only when there is no such process', () => {
    const temporary = '/a/.x.gz.4711-1.vibing-tmp';
    for (const [code, wanted] of [
      ['ESRCH', true],
      ['EPERM', false],
      [null, false],
    ] as const) {
      mock.method(process, 'kill', (id: number, signal: number) => {
        assert.deepEqual([id, signal], [4711, 0]);
        if (code !== null) throw Object.assign(new Error(code), { code });
        return true;
      });
      assert.equal(isLeftBehind(temporary), wanted);
      mock.restoreAll();
    }
    assert.equal(isLeftBehind('/a/.x.gz.vibing-tmp'), false);
  });

  it('names of encodings may have blanks between them, in any order', () => {
    const of = (list: string): readonly string[] =>
      parseCompressFlags(['--encodings', list, 'a']).options.codings.map(({ name }) => name);
    assert.deepEqual(of('gzip, br'), ['br', 'gzip']);
    assert.deepEqual(of(' gzip '), ['gzip']);
    for (const [flag, good, bad] of [
      ['--jobs', ['1', '64'], ['0', '65']],
      ['--min-bytes', ['0', String(2 ** 40)], ['-1', String(2 ** 40 + 1)]],
    ] as const) {
      for (const value of good)
        assert.deepEqual(parseCompressFlags([flag, value, 'a']).problems, []);
      for (const value of bad)
        assert.equal(parseCompressFlags([flag, value, 'a']).problems.length, 1);
    }
  });

  it(
    'files stay open for no longer than they are read, and each error counts',
    posixOnly,
    async () => {
      for (const name of ['a.txt', 'b.txt', 'c.txt']) write(name);
      for (const name of ['a.txt.gz', 'b.txt.gz'])
        mkdirSync(join(folder, name, 'full'), { recursive: true });
      const open = (): number =>
        process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0;
      const before = open();
      const { code, err, out } = await run(folder, ...FAST, '--encodings', 'gzip');
      assert.equal(open(), before);
      assert.deepEqual([code, err.trimEnd().split('\n').length], [1, 2]);
      assert.match(out, /^3 files, 2 errors$/m);
    },
  );
});
