/**
 * "Only humans, and each only so often", in front of a handler.
 *
 * The proof comes in the header `unum-proof` (base64url of the JSON body of `POST /v1/verify`, without padding) or in the
 * field `unum` of a JSON body. What it must be bound to, the app says in a callback, from the request itself: a
 * middleware that took the signal from the proof would let anyone put a human's proof under another message.
 */

import { UnumError } from '../error.js';
import type { Expected, Humans } from '../humans.js';
import type { Nullifier } from '../field.js';
import { CONTENT_TYPE, problem, problemResponse, type ProblemCode } from './problem.js';

/** Who sent the request, for this action only. */
export interface Human {
  readonly nullifier: Nullifier;
  /** How often this human has done this, this time included. */
  readonly uses: number;
}

/** What a request says that its proof must be bound to. Throws, or rejects, if the request itself is wrong. */
export type ExpectedOf<R> = (request: R) => Expected | Promise<Expected>;

const HEADER = 'unum-proof';

/** A body has 1.1 kB plus the names of app and action; Node takes 16 KiB for all headers together. */
const MAX_HEADER = 8 * 1024;

/** Bytes of a JSON body that are read in search of the field `unum`. */
const MAX_BODY = 64 * 1024;

/**
 * Middleware for servers that speak `Request` and `Response`. Answers with the human, or with a problem to send. The
 * request's own body stays unread; so does that of the copy which `expected` gets.
 *
 * ```ts
 * const voter = requireHuman(humans, async (request) => ({ action: 'vote', signal: (await request.json()).vote }));
 * const human = await voter(request);
 * if (human instanceof Response) return human;
 * ```
 *
 * @throws whatever `expected` and the store throw
 */
export function requireHuman(
  humans: Humans,
  expected: ExpectedOf<Request>,
): (request: Request) => Promise<Response | Human> {
  return async (request) => {
    const found = await proofOf(request);
    if (found === undefined) return problemResponse('proof_missing');
    const answer = await ask(humans, found, await expected(request.clone()));
    return typeof answer === 'string' ? problemResponse(answer) : answer;
  };
}

/** What of Express's request is used; Node's own has it too, without `body`. */
export interface ExpressRequest {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** What a body parser left there. */
  readonly body?: unknown;
  /** Filled in for the handlers that follow. */
  human?: Human;
}

/** What of Express's response is used; Node's own has it too. */
export interface ExpressResponse {
  statusCode: number;
  setHeader(name: string, value: string): unknown;
  end(text: string): unknown;
}

/**
 * The same for Express: sets `req.human`, or answers with a problem. The field `unum` is found only behind a JSON body
 * parser.
 */
export function requireHumanExpress<R extends ExpressRequest>(
  humans: Humans,
  expected: ExpectedOf<R>,
): (req: R, res: ExpressResponse, next: (error?: unknown) => void) => Promise<void> {
  return async (req, res, next) => {
    let answer: Human | ProblemCode;
    try {
      const found = fromHeader(req.headers[HEADER]) ?? fieldOf(req.body);
      answer = found === undefined ? 'proof_missing' : await ask(humans, found, await expected(req));
    } catch (error) {
      next(error);
      return;
    }
    if (typeof answer === 'string') return send(res, answer);
    req.human = answer;
    next();
  };
}

async function ask(humans: Humans, body: unknown, expected: Expected): Promise<Human | ProblemCode> {
  try {
    const check = await humans.check(body, expected);
    return check.ok ? { nullifier: check.nullifier, uses: check.uses } : check.code;
  } catch (error) {
    if (error instanceof UnumError && error.code === 'unavailable') return 'unavailable';
    throw error;
  }
}

function send(res: ExpressResponse, code: ProblemCode): void {
  const body = problem(code);
  res.statusCode = body.status;
  res.setHeader('content-type', CONTENT_TYPE);
  res.setHeader('cache-control', 'no-store');
  res.end(JSON.stringify(body));
}

async function proofOf(request: Request): Promise<unknown> {
  const header = fromHeader(request.headers.get(HEADER) ?? undefined);
  if (header !== undefined) return header;
  if (!/^application\/json\b/i.test(request.headers.get('content-type') ?? '')) return undefined;
  return fieldOf(await json(request.clone()));
}

/** What the header says: text, which is no body unless it is the JSON of one. */
function fromHeader(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  // Two headers, or one that is no base64url, is a proof that is wrong, not one that is missing.
  const text = typeof header === 'string' && header.length <= MAX_HEADER ? header : '';
  if (!/^[A-Za-z0-9_-]+$/.test(text)) return '';
  try {
    const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
    const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return '';
  }
}

function fieldOf(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || !Object.hasOwn(body, 'unum')) return undefined;
  return (body as { unum: unknown }).unum;
}

/** The JSON of a body; undefined if it is none, or longer than {@link MAX_BODY}. */
async function json(request: Request): Promise<unknown> {
  if (!request.body) return undefined;
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let [text, length] = ['', 0];
  const reader = request.body.getReader();
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      length += part.value.length;
      if (length > MAX_BODY) return undefined;
      text += decoder.decode(part.value, { stream: true });
    }
    return JSON.parse(text + decoder.decode());
  } catch {
    return undefined;
  } finally {
    // Not awaited: cancelling one branch of a copied body waits for the other, which the app may never read.
    void reader.cancel().catch(() => undefined);
  }
}
