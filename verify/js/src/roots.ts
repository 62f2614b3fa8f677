/**
 * Which roots of the set count.
 *
 * A root counts while it is current, and for a window after it was replaced: counted from then and not from when it was
 * made, or a set that nobody joins would shut out everyone in it. Times are seconds since 1970.
 */

import { UnumError } from './error.js';
import { parseFieldElement, type Root } from './field.js';

/** A root that was published. */
export interface PublishedRoot {
  readonly root: Root;
  /** Leaves that it covers. */
  readonly size: number;
  /** When a newer one took its place; null while it is current. */
  readonly replaced_at: number | null;
}

/** Whether a root counts. */
export type RootStatus = 'counts' | 'expired' | 'unknown';

/** Where {@link Humans} asks about roots: {@link Roots} themselves, or a client that keeps them fresh. */
export interface RootSource {
  /**
   * @param now seconds since 1970
   * @throws {UnumError} `unavailable` if it cannot be said
   */
  status(root: Root, now: number): RootStatus | Promise<RootStatus>;
}

/** A list of roots, as it was when it was read. */
export class Roots implements RootSource {
  /** Newest first. */
  readonly list: readonly PublishedRoot[];
  /** How long a root counts after it was replaced, in seconds. */
  readonly windowSeconds: number;
  readonly #byRoot: ReadonlyMap<Root, PublishedRoot>;

  constructor(list: readonly PublishedRoot[], windowSeconds: number) {
    this.list = list;
    this.windowSeconds = windowSeconds;
    this.#byRoot = new Map(list.map((published) => [published.root, published]));
  }

  /**
   * Reads the answer of `GET /v1/roots`. Other keys than ours are left alone: a server may say more one day.
   *
   * The list is as trustworthy as the connection that it came over. The signed checkpoint that stands behind a root is
   * not checked here.
   *
   * @throws {UnumError} `roots_malformed`
   */
  static fromJson(json: unknown): Roots {
    const { roots, window_seconds } = record(json);
    if (!Array.isArray(roots) || !isCount(window_seconds)) throw malformed();
    return new Roots(roots.map(publishedRoot), window_seconds);
  }

  status(root: Root, now: number): RootStatus {
    const published = this.#byRoot.get(root);
    if (!published) return 'unknown';
    const { replaced_at } = published;
    return replaced_at === null || now <= replaced_at + this.windowSeconds ? 'counts' : 'expired';
  }
}

function publishedRoot(json: unknown): PublishedRoot {
  const { root, size, replaced_at } = record(json);
  if (!isCount(size) || !(replaced_at === null || isCount(replaced_at))) throw malformed();
  try {
    return { root: parseFieldElement(root), size, replaced_at };
  } catch (error) {
    throw new UnumError('roots_malformed', 'a root is not canonical', { cause: error });
  }
}

function record(json: unknown): Record<string, unknown> {
  if (typeof json !== 'object' || json === null) throw malformed();
  return json as Record<string, unknown>;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function malformed(): UnumError {
  return new UnumError('roots_malformed', 'not a list of roots');
}
