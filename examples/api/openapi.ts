// The OpenAPI 3.1 document of the API. Its schemas are those that check the requests.

import { z } from 'zod';
import { BOOK, BOOK_FIELDS, BOOK_PATCH, PAGE_ITEMS, PAGE_ITEMS_MAX, SORTS } from './book.ts';

type Json = Readonly<Record<string, unknown>>;

const reference = (kind: string, name: string): Json => ({ $ref: `#/components/${kind}/${name}` });
const schema = (name: string): Json => reference('schemas', name);
const content = (type: string, name: string): Json => ({ [type]: { schema: schema(name) } });

const etag: Json = {
  description: 'the version of the book, for If-None-Match and If-Match',
  schema: { type: 'string' },
};

/** A response with a book. */
function book(description: string, headers: Json = {}): Json {
  return {
    description,
    headers: { ETag: etag, ...headers },
    content: content('application/json', 'Book'),
  };
}

function body(type: string, name: string): Json {
  return { required: true, content: content(type, name) };
}

/** Responses with problem details, by their names below components/responses. */
function problems(...statuses: readonly number[]): Json {
  const named = statuses.map((status) => [status, reference('responses', `problem${status}`)]);
  return { ...Object.fromEntries(named), default: reference('responses', 'problem') };
}

const PROBLEMS: Readonly<Record<number, string>> = {
  400: 'malformed, or a value is not allowed',
  401: 'the token is missing or wrong',
  403: 'the token does not allow this',
  404: 'there is no such book',
  409: 'another book has this ISBN',
  412: 'the book was changed since it was read',
  413: 'the body is too large',
  415: 'the media type of the body is another',
  422: 'the Idempotency-Key was used with another body',
  428: 'If-Match is missing',
  503: 'the database is busy, or has too much to do',
};

const parameter = (name: string, description: string, schema: Json): Json => ({
  name,
  in: 'query',
  description,
  schema,
});
const year: Json = { type: 'integer', minimum: 0, maximum: 9999 };

const LIST_PARAMETERS: readonly Json[] = [
  parameter('limit', 'items of a page', {
    type: 'integer',
    minimum: 1,
    maximum: PAGE_ITEMS_MAX,
    default: PAGE_ITEMS,
  }),
  parameter('sort', 'the order; with a minus it is descending', {
    type: 'string',
    enum: SORTS,
    default: 'id',
  }),
  parameter('cursor', 'where the page begins: from the link to the next page', { type: 'string' }),
  parameter('author', 'only of this author', { type: 'string' }),
  parameter('yearFrom', 'not older than this year', year),
  parameter('yearTo', 'not newer than this year', year),
  parameter('q', 'only with this text in the title; of A to Z, case is ignored', {
    type: 'string',
  }),
];

const writing = { security: [{ bearer: [] }] };
const changes = [401, 403, 404, 412, 428, 503];
const ifMatch = [reference('parameters', 'ifMatch')];

const BOOKS: Json = {
  get: {
    operationId: 'listBooks',
    summary: 'A page of books',
    parameters: LIST_PARAMETERS,
    responses: {
      200: {
        description: 'a page',
        headers: {
          Link: { description: 'the next page, as rel="next"', schema: { type: 'string' } },
        },
        content: content('application/json', 'Page'),
      },
      304: reference('responses', 'notModified'),
      ...problems(400, 503),
    },
  },
  post: {
    operationId: 'createBook',
    summary: 'Creates a book',
    ...writing,
    parameters: [
      {
        name: 'Idempotency-Key',
        in: 'header',
        description: 'repeated within a day with the same body, it creates nothing again',
        schema: { type: 'string', minLength: 1, maxLength: 255 },
      },
    ],
    requestBody: body('application/json', 'BookFields'),
    responses: {
      201: book('created, now or by an earlier request with the same key', {
        Location: { description: 'the path of the book', schema: { type: 'string' } },
      }),
      ...problems(400, 401, 403, 409, 413, 415, 422, 503),
    },
  },
};

const ONE_BOOK: Json = {
  parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'integer', minimum: 1 } }],
  get: {
    operationId: 'readBook',
    summary: 'One book',
    responses: {
      200: book('the book'),
      304: reference('responses', 'notModified'),
      ...problems(404, 503),
    },
  },
  put: {
    operationId: 'replaceBook',
    summary: 'Replaces all fields of a book',
    ...writing,
    parameters: ifMatch,
    requestBody: body('application/json', 'BookFields'),
    responses: { 200: book('as it is now'), ...problems(400, 409, 413, 415, ...changes) },
  },
  patch: {
    operationId: 'changeBook',
    summary: 'Changes some fields of a book',
    ...writing,
    parameters: ifMatch,
    requestBody: body('application/merge-patch+json', 'BookPatch'),
    responses: { 200: book('as it is now'), ...problems(400, 409, 413, 415, ...changes) },
  },
  delete: {
    operationId: 'deleteBook',
    summary: 'Deletes a book',
    ...writing,
    parameters: ifMatch,
    responses: { 204: { description: 'deleted' }, ...problems(...changes) },
  },
};

/** The document, as JSON. */
export const OPENAPI: Json = {
  info: { title: 'Books', version: '1.0.0', license: { name: 'MIT', identifier: 'MIT' } },
  openapi: '3.1.0',
  servers: [{ url: '/' }],
  paths: { '/books': BOOKS, '/books/{id}': ONE_BOOK },
  components: {
    schemas: {
      BookFields: jsonSchema(BOOK_FIELDS),
      BookPatch: jsonSchema(BOOK_PATCH),
      Book: jsonSchema(BOOK),
      Page: {
        type: 'object',
        required: ['items', 'next'],
        properties: {
          items: { type: 'array', items: schema('Book'), maxItems: PAGE_ITEMS_MAX },
          next: { type: ['string', 'null'], description: 'the target of the next page' },
        },
      },
      Problem: {
        type: 'object',
        description: 'problem details (RFC 9457)',
        required: ['title', 'status'],
        properties: {
          type: { type: 'string' },
          title: { type: 'string' },
          status: { type: 'integer' },
          detail: { type: 'string' },
          errors: {
            type: 'array',
            items: {
              type: 'object',
              properties: { pointer: { type: 'string' }, detail: { type: 'string' } },
            },
          },
        },
      },
    },
    parameters: {
      ifMatch: {
        name: 'If-Match',
        in: 'header',
        required: true,
        description: 'the ETag of the book that was read, or *',
        schema: { type: 'string' },
      },
    },
    responses: {
      notModified: { description: 'the client has this version' },
      problem: problemResponse('any other error'),
      ...Object.fromEntries(
        Object.entries(PROBLEMS).map(([status, description]) => [
          `problem${status}`,
          problemResponse(description),
        ]),
      ),
    },
    securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
  },
};

function problemResponse(description: string): Json {
  return { description, content: content('application/problem+json', 'Problem') };
}

/** OpenAPI 3.1 uses JSON Schema 2020-12, as zod writes it. */
function jsonSchema(given: z.ZodType): Json {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(given);
  return rest;
}
