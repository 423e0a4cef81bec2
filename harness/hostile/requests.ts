// Requests to the hostile application. Target, fields, body and trailers have the request's secret.

import type { Part, Planned } from '../clients/expected.ts';
import { deniedText } from './application.ts';
import { expectedResponseOf } from './correct-handlers.ts';
import { markOf, repeated, secretOf } from './marks.ts';
import type { Script } from './script.ts';

const BOUNDARY = 'boundary';

interface Body {
  readonly fields: readonly string[];
  readonly content: string;
  /** The encoded content. */
  readonly wire: string;
  readonly awaitsContinue: boolean;
}

function bodyOf({ body, bodyBytes, id }: Script): Body | null {
  const secret = secretOf(id);
  const plain = repeated(secret, bodyBytes);
  const sized = (content: string, type: string): Body => {
    const fields = [`Content-Length: ${content.length}`, `Content-Type: ${type}`];
    return { fields, content, wire: content, awaitsContinue: false };
  };
  switch (body) {
    case 'none':
      return null;
    case 'length':
      return sized(plain, 'text/plain');
    case 'expect': {
      const { fields, ...rest } = sized(plain, 'text/plain');
      return { ...rest, fields: [...fields, 'Expect: 100-continue'], awaitsContinue: true };
    }
    case 'json':
      return sized(JSON.stringify({ secret: plain }), 'application/json');
    case 'urlencoded':
      return sized(`a=${plain}&${secret}=b`, 'application/x-www-form-urlencoded');
    case 'multipart':
      return sized(multipartOf(plain), `multipart/form-data; boundary=${BOUNDARY}`);
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

/** Two chunks, unless the content is too short. */
function chunked(content: string): string {
  const half = content.length >> 1;
  const chunks = half === 0 ? [content] : [content.slice(0, half), content.slice(half)];
  return chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('');
}

function pathOf({ area, encoded, id }: Script): string {
  const secret = secretOf(id);
  return `/${area}/${encoded ? `%53${secret.slice(1)}` : secret}`;
}

/** The request of a script, with the expected response where there is one. */
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
  const usesFiles = kind === 'correct' && script.behaviour.startsWith('file');
  const expected = expectedOf(script, body?.content ?? '');
  return { kind, method, parts, expected, usesFiles, takesMs: 20, isLast: false };
}

function part(text: string, awaitsContinue: boolean): Part {
  return { bytes: Buffer.from(text, 'latin1'), pauseMs: 0, awaitsContinue };
}

function expectedOf(script: Script, sentBody: string): Planned['expected'] {
  const { id, kind, method } = script;
  const shared = { close: 'no', truncated: false } as const;
  if (kind === 'hostile') return { ...shared, status: 0, body: null, fields: [], close: 'may' };
  if (kind === 'denied') {
    const text = method === 'HEAD' ? '' : deniedText(markOf(id));
    return { ...shared, status: 403, body: Buffer.from(text), fields: [['x-mark', markOf(id)]] };
  }
  const { status, body, fields } = expectedResponseOf(script, sentBody);
  return { ...shared, status, body: Buffer.from(body, 'latin1'), fields };
}
