/** Requests to a bridge. Knows paths and statuses, and nothing of what is in the mailboxes. */

import { UnumError } from '../error.js';
import { checkBridge } from './link.js';

/** How a bridge is reached. */
export interface BridgeOptions {
  /** Default: the platform's. */
  readonly fetch?: typeof fetch;
  /** Ends the request that is on its way. */
  readonly abort?: AbortSignal | undefined;
}

/** How long a bridge may take to answer, in milliseconds. */
const TIMEOUT = 10_000;

/**
 * Sends one request to a bridge.
 *
 * @returns the JSON of its answer; undefined where the answer is empty
 * @throws {UnumError} `bridge_expired` (404, and 400: how World's bridge refuses an answer to a request that has
 *   expired), `bridge_answered` (409), `bridge_unavailable` for everything else
 */
export async function send(
  bridge: string,
  method: 'GET' | 'POST' | 'PUT',
  path: `/${string}`,
  { fetch: ask = fetch, abort }: BridgeOptions,
  body?: unknown,
): Promise<unknown> {
  const url = checkBridge(bridge);
  url.pathname = url.pathname.replace(/\/+$/, '') + path;
  const [status, text] = await answerOf(url, method, ask, abort, body);
  const named = method !== 'POST';
  if (named && (status === 404 || status === 400))
    throw new UnumError('bridge_expired', 'the bridge does not have this request');
  if (status === 409) throw new UnumError('bridge_answered', 'this request has an answer');
  if (status < 200 || status > 299) throw new UnumError('bridge_unavailable', `the bridge answered ${status}`);
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch (error) {
    throw new UnumError('bridge_unavailable', 'the bridge answered with something else than JSON', { cause: error });
  }
}

async function answerOf(
  url: URL,
  method: string,
  ask: typeof fetch,
  abort: AbortSignal | undefined,
  body: unknown,
): Promise<[number, string]> {
  const timeout = AbortSignal.timeout(TIMEOUT);
  const json =
    body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  try {
    const answer = await ask(url, {
      method,
      ...json,
      cache: 'no-store', // a mailbox is emptied by looking into it
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
      signal: abort ? AbortSignal.any([abort, timeout]) : timeout,
    });
    return [answer.status, await answer.text()];
  } catch (error) {
    abort?.throwIfAborted(); // the caller's wish is no failure of the bridge
    throw new UnumError('bridge_unavailable', 'the bridge cannot be reached', { cause: error });
  }
}
