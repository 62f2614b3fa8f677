/** Lets a server check a proof and remember its nullifier, for apps that keep none themselves. */

import { parseBody } from '../body.js';
import { UnumError } from '../error.js';
import { hashSignal } from '../hash.js';
import type { Check, Expected, RefusalCode } from '../humans.js';
import { address, fetchJson, type FetchOptions } from './fetched.js';

/** Refusals of `POST /v1/verify`. */
const CODES: readonly RefusalCode[] = [
  'body_invalid',
  'root_unknown',
  'root_expired',
  'proof_invalid',
  'nullifier_used',
];

/**
 * Checks what the server cannot know, that the proof is for this app, action and signal, and sends the body to
 * `POST /v1/verify`. How often a nullifier may be used is the server's to say: `maxUses` is not sent.
 *
 * An answer that is lost on the way is a use that is spent: the server counts before it answers.
 *
 * @param body JSON, or its text
 * @throws {UnumError} `unavailable` if the server does not say yes or no, `text_malformed`
 */
export async function verifyRemotely(
  baseUrl: string | URL,
  body: unknown,
  expected: Omit<Expected, 'maxUses'> & { readonly appId: string },
  options: FetchOptions = {},
): Promise<Check> {
  const signalHash = hashSignal(expected.signal);
  let read;
  try {
    read = parseBody(body);
  } catch {
    return { ok: false, code: 'body_invalid' };
  }
  if (read.app_id !== expected.appId || read.action !== expected.action) return { ok: false, code: 'body_invalid' };
  if (read.signal_hash !== signalHash) return { ok: false, code: 'signal_mismatch' };

  const headers = { 'content-type': 'application/json' };
  const sent = { method: 'POST', headers, body: JSON.stringify(read) };
  const { status, json } = await fetchJson(address(baseUrl, '/v1/verify'), options, sent);
  const answer = (typeof json === 'object' && json !== null ? json : {}) as Record<string, unknown>;
  // A server whose actions may be done once only does not count.
  const uses = answer['uses'] ?? 1;
  if (status === 200 && answer['nullifier'] === read.nullifier && Number.isSafeInteger(uses)) {
    return { ok: true, nullifier: read.nullifier, uses: uses as number };
  }
  const code = CODES.find((known) => known === answer['code']);
  if (status === 200 || code === undefined) throw new UnumError('unavailable', `the server answered ${status}`);
  return { ok: false, code };
}
