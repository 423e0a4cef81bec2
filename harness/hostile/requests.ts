// Requests to the hostile application. Every part of one names it: target, fields, body, trailers.

import type { Part, Planned } from '../clients/expected.ts';
import { deniedText } from './application.ts';
import { rightOf } from './correct-handlers.ts';
import { markOf, repeated, secretOf } from './marks.ts';
import type { Script } from './script.ts';

const BOUNDARY = 'boundary';

interface Body {
  readonly fields: readonly string[];
  readonly content: string;
  /** As it is sent. */
  readonly wire: string;
  readonly awaitsContinue: boolean;
}

function bodyOf({ body, bodyBytes, id }: Script): Body | null {
  const secret = secretOf(id);
  const plain = repeated(secret, bodyBytes);
  const whole = (content: string, type: string): Body => {
    const fields = [`Content-Length: ${content.length}`, `Content-Type: ${type}`];
    return { fields, content, wire: content, awaitsContinue: false };
  };
  switch (body) {
    case 'none':
      return null;
    case 'length':
      return whole(plain, 'text/plain');
    case 'expect': {
      const { fields, ...rest } = whole(plain, 'text/plain');
      return { ...rest, fields: [...fields, 'Expect: 100-continue'], awaitsContinue: true };
    }
    case 'json':
      return whole(JSON.stringify({ secret: plain }), 'application/json');
    case 'urlencoded':
      return whole(`a=${plain}&${secret}=b`, 'application/x-www-form-urlencoded');
    case 'multipart':
      return whole(multipartOf(plain), `multipart/form-data; boundary=${BOUNDARY}`);
    case 'chunked':
    case 'chunked with trailers': {
      const trailers = body === 'chunked' ? '' : `X-Secret-Trailer: ${secret}\r\n`;
      const fields = ['Transfer-Encoding: chunked'];
      return {
        fields,
        content: plain,
        wire: `${chunked(plain)}0\r\n${trailers}\r\n`,
        awaitsContinue: false,
      };
    }
    default:
      return body satisfies never;
  }
}

function multipartOf(plain: string): string {
  const head = 'Content-Disposition: form-data; name="secret"';
  return `--${BOUNDARY}\r\n${head}\r\n\r\n${plain}\r\n--${BOUNDARY}--\r\n`;
}

/** In two chunks, where there is enough for that. */
function chunked(content: string): string {
  const half = content.length >> 1;
  const pieces = half === 0 ? [content] : [content.slice(0, half), content.slice(half)];
  return pieces.map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`).join('');
}

function pathOf({ area, encoded, id }: Script): string {
  const secret = secretOf(id);
  return `/${area}/${encoded ? `%53${secret.slice(1)}` : secret}`;
}

/** The request of a script, with its right answer where there is one. */
export function plannedOf(script: Script): Planned {
  const { id, kind, method } = script;
  const secret = secretOf(id);
  const body = bodyOf(script);
  const lines = [
    `${method} ${pathOf(script)}?q=${secret} HTTP/1.1`,
    'Host: simulated',
    `X-Id: ${id}`,
    `Cookie: pass=${kind === 'denied' ? 'none' : secret}`,
    `X-Secret: ${secret}`,
    'TE: trailers',
    ...(body?.fields ?? []),
  ];
  const head: Part = part(`${lines.join('\r\n')}\r\n\r\n`, false);
  const parts = body === null ? [head] : [head, part(body.wire, body.awaitsContinue)];
  const usesFiles = kind === 'citizen' && script.behaviour.startsWith('file');
  const expected = expectedOf(script, body?.content ?? '');
  return { kind, method, parts, expected, usesFiles, takesMs: 20, isLast: false };
}

function part(text: string, awaitsContinue: boolean): Part {
  return { bytes: Buffer.from(text, 'latin1'), pauseMs: 0, awaitsContinue };
}

function expectedOf(script: Script, sentBody: string): Planned['expected'] {
  const { id, kind, method } = script;
  const shared = { close: 'no', cut: false } as const;
  if (kind === 'hostile') return { ...shared, status: 0, body: null, fields: [], close: 'may' };
  if (kind === 'denied') {
    const text = method === 'HEAD' ? '' : deniedText(markOf(id));
    return { ...shared, status: 403, body: Buffer.from(text), fields: [['x-mark', markOf(id)]] };
  }
  const { status, body, fields } = rightOf(script, sentBody);
  return { ...shared, status, body: Buffer.from(body, 'latin1'), fields };
}
