// The icons of a listing: one sprite of SVG symbols in the page, and which of them a name has.

import { mediaType } from '../../exchange/media-type.ts';

/** Outlines in a square of 24. Their ids are short because every row has one. */
const SHAPES = {
  /** A folder and a file. */
  d: [
    'M3 6.5A1.5 1.5 0 0 1 4.5 5h4l2 2.5h9A1.5 1.5 0 0 1 21 9v9',
    'a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 18z',
  ],
  f: [
    'M13.5 3h-7A1.5 1.5 0 0 0 5 4.5v15A1.5 1.5 0 0 0 6.5 21h11',
    'a1.5 1.5 0 0 0 1.5-1.5v-11zv5.5H19',
  ],
  /** Text and code. */
  t: ['M5 5h14M5 9.7h14M5 14.3h14M5 19h8'],
  c: ['M8 7l-5 5 5 5M16 7l5 5-5 5M13.5 4.5l-3 15'],
  /** An image, sound and a video. */
  i: ['M4 4.5h16v15H4zM4 17l5-5 4 4 3-3 4 4M15 9h.1'],
  a: [
    'M9 18V5.5l10-2V16M9 18a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0z',
    'M19 16a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0z',
  ],
  v: ['M3.5 5.5h17v13h-17zM10 9l5 3-5 3z'],
  /** An archive, a document and a font. */
  z: ['M4 4h16v5H4zM5.5 9v11h13V9M10 13h4'],
  p: ['M6 3h12v18H6zM9 8h6M9 12h6M9 16h3'],
  w: ['M5 20l6-16h2l6 16M7.5 14h9'],
  /** The parent folder and the root. */
  u: ['M5 11l7-7 7 7M12 4v16'],
  h: ['M3 11.5L12 4l9 7.5M5.5 9.5V20h13V9.5'],
} as const;

export type Icon = keyof typeof SHAPES;

export const SPRITE: string = [
  '<svg width="0" height="0" class="sprite" aria-hidden="true">',
  ...Object.entries(SHAPES).map(
    ([id, lines]) =>
      `<symbol id="${id}" viewBox="0 0 24 24"><path d="${lines.join('')}"/></symbol>`,
  ),
  '</svg>',
].join('');

export function iconHtml(icon: Icon): string {
  return `<svg class="${icon}" aria-hidden="true"><use href="#${icon}"/></svg>`;
}

/** Where the media type says less, or something else: `.ts` is also a video. */
const EXTENSIONS: Readonly<Partial<Record<Icon, string>>> = {
  c:
    'js mjs cjs jsx ts mts cts tsx json jsonc json5 css scss sass less html htm xml yaml yml ' +
    'toml py rb rs go c h cc cpp hpp cs java kt swift php pl lua r sh bash zsh fish ps1 bat sql ' +
    'wasm vue svelte zig ini conf lock map',
  z: 'zip gz tgz tar bz2 xz zst br 7z rar jar iso dmg deb rpm apk whl',
  p: 'pdf doc docx odt rtf epub xls xlsx ods csv ppt pptx odp ps',
  t: 'txt md markdown rst log adoc tex diff patch',
  w: 'ttf otf woff woff2',
};

const BY_EXTENSION: ReadonlyMap<string, Icon> = new Map(
  Object.entries(EXTENSIONS).flatMap(([icon, list]) =>
    list.split(' ').map((extension) => [extension, icon as Icon] as const),
  ),
);

const TEXTS = /^(?:readme|licen[cs]e|changelog|copying|authors)$/i;

export function iconFor(name: string): Icon {
  const dot = name.lastIndexOf('.');
  const known = dot < 0 ? undefined : BY_EXTENSION.get(name.slice(dot + 1).toLowerCase());
  if (known !== undefined) return known;
  if (TEXTS.test(name)) return 't';
  const type = mediaType(name);
  if (type.startsWith('image/')) return 'i';
  if (type.startsWith('audio/')) return 'a';
  if (type.startsWith('video/')) return 'v';
  return type.startsWith('text/') ? 't' : 'f';
}
