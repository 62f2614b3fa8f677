/** The link that carries a request from a page to a wallet: `…?t=wld&i={id}&k={key}&b={bridge}`. */

import type { Bytes } from '../bytes.js';
import { UnumError } from '../error.js';
import { fromBase64, isKey, toBase64 } from './sealed.js';

/**
 * A scheme of our own, so that the link goes to a wallet on this device and nowhere else. With an `https` base the key
 * in the link goes to that host whenever no wallet catches the link: whoever runs it could read request and answer.
 */
export const DEFAULT_LINK_BASE = 'unum://verify';

/** What a link says. */
export interface BridgeLink {
  readonly requestId: string;
  /** 32 bytes. Whoever has them reads the request and writes the answer. */
  readonly key: Bytes;
  /** Where the mailboxes are. */
  readonly bridge: string;
}

/** Letters, digits, `-`, `_` and `.`, 16 to 256 of them: what World's bridge takes and makes. */
const REQUEST_ID = /^[A-Za-z0-9._-]{16,256}$/;

/** The link. `b` is always written: our wallets have no bridge that goes without saying. */
export function writeLink({ requestId, key, bridge }: BridgeLink, base = DEFAULT_LINK_BASE): string {
  const query = Object.entries({ t: 'wld', i: requestId, k: toBase64(key), b: bridge });
  const parameters = query.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&');
  return `${base}${base.includes('?') ? '&' : '?'}${parameters}`;
}

/**
 * Reads a link with any base.
 *
 * @param defaultBridge for links of IDKit, which leaves `b` out where it uses World's own bridge
 * @throws {UnumError} `link_malformed`
 */
export function parseLink(link: string, defaultBridge?: string): BridgeLink {
  const question = link.indexOf('?');
  const query = new URLSearchParams(question < 0 ? '' : link.slice(question).replace(/#.*$/s, ''));
  const [requestId, bridge] = [query.get('i') ?? '', query.get('b') ?? defaultBridge];
  // A `+` that nobody has escaped reads as a blank in a query, and there are no blanks in base64.
  const key = fromBase64((query.get('k') ?? '').replaceAll(' ', '+'));
  if (query.get('t') !== 'wld' || !isRequestId(requestId) || !isKey(key) || bridge === undefined) {
    throw new UnumError('link_malformed', 'not a link to a request on a bridge');
  }
  checkBridge(bridge);
  return { requestId, key, bridge };
}

/** Whether a bridge may have given this id. It becomes part of a path, so that nothing else may. */
export function isRequestId(id: unknown): id is string {
  return typeof id === 'string' && REQUEST_ID.test(id) && !/^\.+$/.test(id);
}

/**
 * A bridge is reached by https, or by http on this machine: elsewhere anyone on the way could hold answers back.
 *
 * @throws {UnumError} `link_malformed`
 */
export function checkBridge(bridge: string): URL {
  const url = URL.canParse(bridge) ? new URL(bridge) : undefined;
  const here = url && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  if (!url || !(url.protocol === 'https:' || (url.protocol === 'http:' && here)) || url.username || url.password) {
    throw new UnumError('link_malformed', 'a bridge has an https address');
  }
  return url;
}
