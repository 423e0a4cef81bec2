// Entity tags for responses in memory, so that a client that has the content gets 304 (RFC 9110
// 8.8.3, 13.1.2). A response that has an ETag already is left alone.

import { BOOLEAN, checkOptions } from '../base/options.ts';
import type { Middleware } from '../exchange/handler.ts';
import { noteMaker } from '../exchange/makers.ts';
import { exchangeOf } from '../exchange/request.ts';
import { EtagUse } from '../exchange/state.ts';

/** Options of etag(). */
export interface EtagOptions {
  /**
   * A weak tag, for content that is equivalent but may differ in its bytes: no If-Match and no
   * range of it matches. Default false.
   */
  readonly weak?: boolean;
}

const OPTIONS = { weak: BOOLEAN } as const;

/** Throws a TypeError for unknown or invalid options. */
export function etag(options: EtagOptions = {}): Middleware {
  checkOptions('etag', options, OPTIONS);
  const use = options.weak === true ? EtagUse.ComputedWeak : EtagUse.Computed;
  return (request, response, next) => {
    const exchange = exchangeOf(request);
    response.beforeSend((outgoing) => {
      // A HEAD handler that sends no content does not show the content that a tag follows from.
      if (outgoing.streamed || outgoing.content === null) return;
      if (exchange.etagUse !== EtagUse.None || outgoing.header('ETag') !== undefined) return;
      exchange.useEtag(use);
    });
    return next();
  };
}

noteMaker(etag, 'etag');
