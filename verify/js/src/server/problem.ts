/** An error over HTTP: RFC 9457 `application/problem+json` with a stable `code`. Causes never travel. */

import type { RefusalCode } from '../humans.js';

/** The media type of a {@link Problem}. */
export const CONTENT_TYPE = 'application/problem+json';

/** Refusals of the core, and what can go wrong around it. */
export type ProblemCode = RefusalCode | 'proof_missing' | 'unavailable';

/** What went wrong, as a client may know it: the same members that our servers write. */
export interface Problem {
  /** HTTP status code. */
  readonly status: number;
  /** Stable name of this kind of error. */
  readonly code: ProblemCode;
  /** What to do about it, in a sentence. */
  readonly detail: string;
}

const PROBLEMS: Record<ProblemCode, readonly [status: number, detail: string]> = {
  proof_missing: [400, 'send a proof in the header unum-proof or in the field unum of the JSON body'],
  body_invalid: [400, 'not a proof for this app and action in canonical form'],
  signal_mismatch: [422, 'the proof was made for something else than this request says'],
  root_unknown: [422, 'not a root of this set'],
  root_expired: [422, 'this root was replaced too long ago; fetch a new path and prove again'],
  proof_invalid: [422, 'the proof does not hold'],
  nullifier_used: [409, 'this human has done this as often as anyone may'],
  unavailable: [503, 'the roots of the set cannot be had now; try again'],
};

/** The problem with this code. */
export function problem(code: ProblemCode): Problem {
  const [status, detail] = PROBLEMS[code];
  return { status, code, detail };
}

/** The problem with this code, as a response. */
export function problemResponse(code: ProblemCode): Response {
  const body = problem(code);
  const headers = { 'content-type': CONTENT_TYPE, 'cache-control': 'no-store' };
  return new Response(JSON.stringify(body), { status: body.status, headers });
}
