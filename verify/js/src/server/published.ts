/**
 * What a server publishes and an app verifies with: `GET /v1/roots` and `GET /v1/keys`.
 *
 * Roots are taken on the word of the server, over the connection that the app chose (https). Keys are compared with ids
 * that the app has from elsewhere: whoever can name the key can make up humans.
 */

import { UnumError } from '../error.js';
import type { Root } from '../field.js';
import { VerifyingKey } from '../key.js';
import { Roots, type RootSource, type RootStatus } from '../roots.js';
import { address, fetchJson, type FetchOptions } from './fetched.js';

/** How a {@link RootsClient} asks. */
export interface ClientOptions extends FetchOptions {
  /** For how many seconds a list is taken as it is. Default: 10. */
  readonly maxAgeSeconds?: number;
}

/** Seconds between two requests that an unknown root may cause: anyone can send made-up roots. */
const SOONEST = 1;

/**
 * Keeps the roots of a server fresh.
 *
 * When the server cannot be reached, roots that it has named before go on counting for as long as they would count had
 * they been replaced a moment after the last list: so a server that is down for an hour locks out only those who have
 * joined since.
 */
export class RootsClient implements RootSource {
  readonly #url: URL;
  readonly #options: ClientOptions;
  readonly #maxAge: number;
  #last: { readonly roots: Roots; readonly at: number } | undefined;
  /** When the server was last asked, whatever it answered. */
  #asked = -Infinity;
  #asking: Promise<void> | undefined;
  /** Why the last request brought nothing. */
  #failure: unknown;

  /** @param baseUrl the server, such as `https://unum.example` */
  constructor(baseUrl: string | URL, options: ClientOptions = {}) {
    this.#url = address(baseUrl, '/v1/roots');
    this.#options = options;
    this.#maxAge = options.maxAgeSeconds ?? 10;
  }

  /**
   * @param now seconds since 1970
   * @throws {UnumError} `unavailable` if this root is not known and the server cannot be asked about it
   */
  async status(root: Root, now: number): Promise<RootStatus> {
    const status = this.#statusByLast(root, now);
    if (status !== 'unknown' && this.#last && within(now, this.#last.at, this.#maxAge)) return status;
    await this.#refresh(now);
    const newer = this.#statusByLast(root, now);
    if (this.#failure !== undefined && newer !== 'counts') {
      throw new UnumError('unavailable', `${this.#url} cannot be asked`, { cause: this.#failure });
    }
    return newer;
  }

  #statusByLast(root: Root, now: number): RootStatus {
    if (!this.#last) return 'unknown';
    const { roots, at } = this.#last;
    return now <= at + roots.windowSeconds ? roots.status(root, now) : 'expired';
  }

  /** Asks the server unless it was asked a moment ago. One request at a time; all who wait share it. */
  async #refresh(now: number): Promise<void> {
    if (!this.#asking && within(now, this.#asked, SOONEST)) return;
    this.#asking ??= this.#ask(now).finally(() => (this.#asking = undefined));
    await this.#asking;
  }

  async #ask(now: number): Promise<void> {
    this.#asked = now;
    try {
      const { status, json } = await fetchJson(this.#url, this.#options);
      if (status !== 200) throw new UnumError('unavailable', `${this.#url} answered ${status}`);
      this.#last = { roots: Roots.fromJson(json), at: now };
      this.#failure = undefined;
    } catch (error) {
      this.#failure = error;
    }
  }
}

/** A key as a server offers it. */
export interface NamedKey {
  /** {@link VerifyingKey.id}. */
  readonly id: string;
  readonly name: string;
  readonly key: VerifyingKey;
}

/**
 * Fetches the keys of a server, of which only those in `trusted` are read and handed out.
 *
 * @param trusted ids of keys from a trusted place: the app's configuration, read once and compared with what the
 *   ceremony published
 * @throws {UnumError} `key_unknown` if the server offers none of them or lies about one, `key_malformed` or
 *   `point_invalid` if one is no key, `unavailable`
 */
export async function fetchKeys(
  baseUrl: string | URL,
  trusted: readonly string[],
  options: FetchOptions = {},
): Promise<NamedKey[]> {
  const url = address(baseUrl, '/v1/keys');
  const { status, json } = await fetchJson(url, options);
  const offered = (json as { keys?: unknown } | null)?.keys;
  if (status !== 200 || !Array.isArray(offered)) throw new UnumError('unavailable', `${url} answered ${status}`);
  const named = offered.filter(isOffer).filter(({ id }) => trusted.includes(id));
  const keys = named.map(({ id, name, verifying_key }) => {
    const key = VerifyingKey.fromSnarkjs(verifying_key);
    if (key.id !== id) throw new UnumError('key_unknown', `${url} offers another key as ${id}`);
    return { id, name, key };
  });
  if (keys.length === 0) throw new UnumError('key_unknown', `${url} offers none of the trusted keys`);
  return keys;
}

function isOffer(offer: unknown): offer is { id: string; name: string; verifying_key: unknown } {
  if (typeof offer !== 'object' || offer === null) return false;
  const { id, name } = offer as Record<string, unknown>;
  return typeof id === 'string' && typeof name === 'string';
}

/** False also if the clock was set back in between: better one request too many than none for an hour. */
function within(now: number, from: number, seconds: number): boolean {
  return now >= from && now < from + seconds;
}
