// Draws the pictures of the sample site (committed, so run it only to change them): a reactor with
// its sockets, the bytes of a request head coloured by their meaning, and the icon. usage: node
// build/examples/make-pictures.js [directory]

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeIco, encodePng, type Picture } from './png.ts';

type Colour = readonly [red: number, green: number, blue: number];

const NIGHT: Colour = [16, 19, 26];
const DUSK: Colour = [26, 33, 48];
const EMBER: Colour = [255, 140, 66];
const TEAL: Colour = [79, 209, 197];
const PAPER: Colour = [236, 234, 228];
const SLATE: Colour = [92, 102, 122];

/** Calls `shade` with each pixel's centre; what it returns is clamped to a byte a channel. */
function paint(width: number, height: number, shade: (x: number, y: number) => Colour): Picture {
  const pixels = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const colour = shade(x + 0.5, y + 0.5);
      for (let channel = 0; channel < 3; channel++) {
        const value = Math.round(colour[channel] ?? 0);
        pixels[(y * width + x) * 3 + channel] = Math.min(255, Math.max(0, value));
      }
    }
  }
  return { width, height, pixels };
}

function mix(from: Colour, to: Colour, share: number): Colour {
  const part = Math.min(1, Math.max(0, share));
  return [
    from[0] + (to[0] - from[0]) * part,
    from[1] + (to[1] - from[1]) * part,
    from[2] + (to[2] - from[2]) * part,
  ];
}

/** 1 at `distance` 0, then a Gaussian. */
function glow(distance: number, reach: number): number {
  return Math.exp(-((distance / reach) ** 2));
}

/** A loop in the middle with sockets around it; ready ones are lit, brighter clockwise. */
function drawReactor(width: number, height: number): Picture {
  const socketCount = 36;
  const sector = (2 * Math.PI) / socketCount;
  const loop = height * 0.2;
  const orbit = height * 0.37;
  return paint(width, height, (x, y) => {
    const dx = x - width / 2;
    const dy = y - height / 2;
    const radius = Math.hypot(dx, dy);
    const angle = (Math.atan2(dy, dx) + 2.5 * Math.PI) % (2 * Math.PI);
    const fade = angle / (2 * Math.PI);
    let colour = mix(DUSK, NIGHT, radius / (height * 0.75));
    colour = mix(colour, EMBER, 0.3 * fade ** 3 * glow(Math.max(0, radius - loop), loop / 2));
    colour = mix(colour, EMBER, (0.25 + 0.75 * fade ** 2) * glow(radius - loop, 4));
    const socket = Math.floor(angle / sector);
    const offAngle = angle - (socket + 0.5) * sector;
    const away = Math.hypot(radius - orbit, orbit * Math.sin(offAngle));
    const ready = (socket * 7) % 5 < 2;
    const light = ready ? mix(TEAL, EMBER, fade ** 2) : SLATE;
    if (ready && radius > loop) {
      const ray = glow(orbit * Math.sin(offAngle), 1.6) * glow(radius - orbit, width / 4);
      const wave = 0.5 + 0.5 * Math.cos((radius - orbit) / 9 + socket);
      colour = mix(colour, light, ray * wave);
    }
    colour = mix(colour, light, (ready ? 0.6 : 0.15) * glow(away, ready ? 9 : 7));
    return mix(colour, light, glow(away, ready ? 5 : 3.5));
  });
}

const HEAD = [
  'GET /gallery/?view=wide HTTP/1.1',
  'Host: 127.0.0.1:8080',
  'Connection: keep-alive',
  'Accept: text/html,application/xhtml+xml,image/avif,image/webp,*/*;q=0.8',
  'Accept-Encoding: gzip, deflate, br, zstd',
  'Accept-Language: en-GB,en;q=0.7',
  'Referer: http://127.0.0.1:8080/',
  'Sec-Fetch-Dest: document',
  'Sec-Fetch-Mode: navigate',
  'If-None-Match: "vibing"',
  '',
  '',
].join('\r\n');

/** A colour for each byte of the head: request line, field name, field value or delimiter. */
function headColours(head: string): Colour[] {
  const colours: Colour[] = [];
  const lines = head.split('\r\n');
  for (const [index, line] of lines.entries()) {
    const colon = line.indexOf(':');
    for (let at = 0; at < line.length; at++) {
      if (index === 0) colours.push(line[at] === ' ' ? SLATE : PAPER);
      else if (at === colon || at === colon + 1) colours.push(SLATE);
      else colours.push(at < colon ? TEAL : EMBER);
    }
    if (index < lines.length - 1) colours.push(SLATE, SLATE);
  }
  return colours;
}

/** A rounded tile for each byte, brighter for larger values. */
function drawHead(columns: number, tile: number): Picture {
  const colours = headColours(HEAD);
  const rows = Math.ceil(colours.length / columns);
  return paint((columns + 2) * tile, (rows + 2) * tile, (x, y) => {
    const column = Math.floor(x / tile) - 1;
    const row = Math.floor(y / tile) - 1;
    const at = row * columns + column;
    const colour = column >= 0 && column < columns && row >= 0 ? colours[at] : undefined;
    if (colour === undefined) return NIGHT;
    const dx = Math.max(0, Math.abs(x - (column + 1.5) * tile) - tile * 0.22);
    const dy = Math.max(0, Math.abs(y - (row + 1.5) * tile) - tile * 0.22);
    const inside = tile * 0.2 + 0.5 - Math.hypot(dx, dy);
    const bright = 0.4 + (0.6 * HEAD.charCodeAt(at)) / 127;
    return mix(NIGHT, mix(NIGHT, colour, bright), inside);
  });
}

function drawIcon(size: number): Picture {
  return paint(size, size, (x, y) => {
    const dx = x - size / 2;
    const dy = y - size / 2;
    const ring = size * 0.09 + 0.5 - Math.abs(Math.hypot(dx, dy) - size * 0.3);
    const dot = size * 0.15 + 0.5 - Math.hypot(dx - size * 0.21, dy + size * 0.21);
    return mix(mix(NIGHT, EMBER, ring), TEAL, dot);
  });
}

const directory = process.argv[2] ?? join('examples', 'site');
writeFileSync(join(directory, 'img', 'reactor.png'), encodePng(drawReactor(960, 540)));
writeFileSync(join(directory, 'img', 'head.png'), encodePng(drawHead(32, 28)));
writeFileSync(join(directory, 'favicon.ico'), encodeIco(drawIcon(32)));
