/**
 * How an app's page reaches a wallet: two mailboxes on a bridge that cannot read what is in them.
 *
 * ```text
 * page    POST /request {iv, payload}        → {request_id}
 *         shows a link with id, key and bridge, as a QR code
 * wallet  GET  /request/{id}                 → {iv, payload}, once
 *         PUT  /response/{id} {iv, payload}  → 201; 409 if there is an answer
 * page    GET  /response/{id}                → {status: initialized | retrieved | completed, response: {iv, payload} | null}
 * ```
 *
 * A request lives 900 seconds. Compatible with IDKit 2 and 3 (`@worldcoin/idkit-core` 2.1, files `bridge.ts`,
 * `lib/crypto.ts` and `lib/utils.ts`) and `worldcoin/wallet-bridge`, in their forms: AES-256-GCM without additional data,
 * the tag behind the ciphertext, IVs of 12 bytes, and standard base64 with padding for key, IV and payload.
 */

export { createSession, type AppSession, type Poll, type SessionOptions } from './bridge/app.js';
export { DEFAULT_LINK_BASE, parseLink, writeLink, type BridgeLink } from './bridge/link.js';
export type { BridgeOptions } from './bridge/mailbox.js';
export type { WalletAnswer, WalletErrorCode, WalletQuestion } from './bridge/messages.js';
export { openLink, type WalletSession } from './bridge/wallet.js';
