/** One request for JSON, with an end to the waiting. */

import { UnumError } from '../error.js';

/** How servers are reached. */
export interface FetchOptions {
  /** Default: the platform's. */
  readonly fetch?: typeof fetch;
}

/** How long an answer may take, in milliseconds: a server that takes longer has fallen over. */
const TIMEOUT = 10_000;

/** Bytes of an answer that are worth reading: a year of hourly roots has 1.2 MB. */
const MAX_ANSWER = 16 * 1024 * 1024;

/**
 * The address of `path` below `base`, which may have a path of its own.
 *
 * @throws {TypeError} if `base` is no address
 */
export function address(base: string | URL, path: string): URL {
  const url = new URL(base);
  url.pathname = url.pathname.replace(/\/+$/, '') + path;
  return url;
}

/**
 * The status and the JSON of an answer. No redirects: whoever answers is whom the app has named.
 *
 * @throws {UnumError} `unavailable` if there is no answer, or none in JSON
 */
export async function fetchJson(
  url: URL,
  { fetch: ask = fetch }: FetchOptions,
  init: RequestInit = {},
): Promise<{ status: number; json: unknown }> {
  try {
    const answer = await ask(url, { redirect: 'error', ...init, signal: AbortSignal.timeout(TIMEOUT) });
    const text = await answer.text();
    if (text.length > MAX_ANSWER) throw new RangeError('a very long answer');
    return { status: answer.status, json: JSON.parse(text) as unknown };
  } catch (error) {
    throw new UnumError('unavailable', `no answer from ${url.origin}`, { cause: error });
  }
}
