/** The page's side of a bridge: asks, shows a link, waits. */

import type { ProofBody } from '../body.js';
import { UnumError } from '../error.js';
import { hashSignal } from '../hash.js';
import { DEFAULT_LINK_BASE, isRequestId, writeLink } from './link.js';
import { send, type BridgeOptions } from './mailbox.js';
import { readAnswer, writeQuestion, type WalletErrorCode, type WalletQuestion } from './messages.js';
import { newKey, open, seal } from './sealed.js';

/** What a page asks for, and where. */
export interface SessionOptions extends BridgeOptions {
  /** The bridge, such as `https://unum.example`. */
  readonly bridge: string;
  readonly appId: string;
  readonly action: string;
  /** What the human says; the app's server has to know it from the request as well. */
  readonly signal: string | Uint8Array;
  /** What the action is, in words that the wallet shows. */
  readonly actionDescription?: string | undefined;
  /** What the link starts with. Default: {@link DEFAULT_LINK_BASE}. */
  readonly linkBase?: string | undefined;
}

/** How a request stands. */
export type Poll =
  /** No wallet has fetched it. */
  | { readonly status: 'waiting' }
  /** A wallet has it; its human thinks. */
  | { readonly status: 'opened' }
  /** A body for the app's server, which decides whether it holds. */
  | { readonly status: 'done'; readonly body: ProofBody }
  | { readonly status: 'refused'; readonly code: WalletErrorCode };

/** One request on a bridge, from the page's side. */
export interface AppSession {
  readonly requestId: string;
  /** For a QR code, and for a link where the wallet is on the same device. Contains the key. */
  readonly link: string;

  /**
   * Looks once. The bridge hands an answer out once: keep it.
   *
   * @throws {UnumError} `bridge_expired`, `bridge_unavailable` (look again later), `payload_invalid`
   */
  poll(options?: Pick<BridgeOptions, 'abort'>): Promise<Poll>;
}

/**
 * Puts a request on the bridge.
 *
 * @throws {UnumError} `bridge_unavailable`; `link_malformed` if the bridge's address is none; `text_malformed`
 */
export async function createSession(options: SessionOptions): Promise<AppSession> {
  const { bridge, appId, action, signal, actionDescription: words, linkBase = DEFAULT_LINK_BASE } = options;
  const described = words === undefined ? {} : { action_description: words };
  const question = { app_id: appId, action, ...described, signal_hash: hashSignal(signal) };
  const key = newKey();
  const reach = options.fetch ? { fetch: options.fetch } : {};
  const sealed = await seal(key, writeQuestion(question));
  const created = await send(bridge, 'POST', '/request', { ...reach, abort: options.abort }, sealed);
  const requestId = (created as { request_id?: unknown } | undefined)?.request_id;
  if (!isRequestId(requestId)) throw new UnumError('bridge_unavailable', 'the bridge gave no id');
  return {
    requestId,
    link: writeLink({ requestId, key, bridge }, linkBase),
    async poll({ abort } = {}) {
      const answer = await send(bridge, 'GET', `/response/${requestId}`, { ...reach, abort });
      return read(answer, key, question);
    },
  };
}

async function read(answer: unknown, key: Parameters<typeof open>[0], question: WalletQuestion): Promise<Poll> {
  const { status, response } = (answer ?? {}) as { status?: unknown; response?: unknown };
  if (status === 'initialized') return { status: 'waiting' };
  if (status === 'retrieved') return { status: 'opened' };
  if (status !== 'completed') throw new UnumError('bridge_unavailable', 'the bridge speaks of no status we know');
  const read = readAnswer(await open(key, response), question);
  return typeof read === 'string' ? { status: 'refused', code: read } : { status: 'done', body: read };
}
