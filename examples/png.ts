// Encodes pictures as PNG and ICO with zlib only: 8 bits for each of red, green and blue.

import { crc32, deflateSync } from 'node:zlib';

/** A picture in memory: three bytes a pixel, row by row from the top. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const CHANNELS = 3;
const FILTER_PAETH = 4;
const COLOUR_RGB = 2;
const BITS_PER_CHANNEL = 8;

export function encodePng(picture: Picture): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(picture.width, 0);
  header.writeUInt32BE(picture.height, 4);
  header[8] = BITS_PER_CHANNEL;
  header[9] = COLOUR_RGB;
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(filterRows(picture), { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** An icon file with one PNG, which all current browsers support. */
export function encodeIco(picture: Picture): Buffer {
  const png = encodePng(picture);
  const directory = Buffer.alloc(22);
  directory.writeUInt16LE(1, 2);
  directory.writeUInt16LE(1, 4);
  directory[6] = picture.width;
  directory[7] = picture.height;
  directory.writeUInt16LE(1, 10);
  directory.writeUInt16LE(CHANNELS * BITS_PER_CHANNEL, 12);
  directory.writeUInt32LE(png.length, 14);
  directory.writeUInt32LE(directory.length, 18);
  return Buffer.concat([directory, png]);
}

/** Replaces each byte by its difference from the Paeth prediction, which compresses well. */
function filterRows({ width, height, pixels }: Picture): Buffer {
  const rowBytes = width * CHANNELS;
  const out = Buffer.alloc((rowBytes + 1) * height);
  for (let y = 0; y < height; y++) {
    const start = y * (rowBytes + 1);
    out[start] = FILTER_PAETH;
    for (let x = 0; x < rowBytes; x++) {
      const at = y * rowBytes + x;
      const left = x < CHANNELS ? 0 : pixels[at - CHANNELS];
      const up = y === 0 ? 0 : pixels[at - rowBytes];
      const corner = x < CHANNELS || y === 0 ? 0 : pixels[at - rowBytes - CHANNELS];
      out[start + 1 + x] = pixels[at] - paeth(left, up, corner);
    }
  }
  return out;
}

function paeth(left: number, up: number, corner: number): number {
  const guess = left + up - corner;
  const leftOff = Math.abs(guess - left);
  const upOff = Math.abs(guess - up);
  const cornerOff = Math.abs(guess - corner);
  if (leftOff <= upOff && leftOff <= cornerOff) return left;
  return upOff <= cornerOff ? up : corner;
}

function chunk(name: string, content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), content]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(content.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
}
