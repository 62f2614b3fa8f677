/** What lies on the bridge: JSON under a key that the bridge never sees. AES-256-GCM by WebCrypto (NIST SP 800-38D). */

import { utf8, type Bytes } from '../bytes.js';
import { UnumError } from '../error.js';

/** Both in standard base64. The payload ends with the tag of 16 bytes. */
export interface Sealed {
  readonly iv: string;
  readonly payload: string;
}

/** Bytes of an IV. */
const IV_LENGTH = 12;

/** Bytes of a key. */
const KEY_LENGTH = 32;

/** A key for one request and its answer, as the link carries it. */
export function newKey(): Bytes {
  return crypto.getRandomValues(new Uint8Array(KEY_LENGTH));
}

/** Seals JSON under a fresh IV: question and answer share a key, and one IV used twice would give both away. */
export async function seal(key: Bytes, message: unknown): Promise<Sealed> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_LENGTH));
  const plain = utf8(JSON.stringify(message));
  const cipher = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, await imported(key, 'encrypt'), plain);
  return { iv: toBase64(iv), payload: toBase64(new Uint8Array(cipher)) };
}

/**
 * Opens what was sealed.
 *
 * @throws {UnumError} `payload_invalid`
 */
export async function open(key: Bytes, sealed: unknown): Promise<unknown> {
  const { iv, payload } = (sealed ?? {}) as { iv?: unknown; payload?: unknown };
  const [nonce, cipher] = [fromBase64(iv), fromBase64(payload)];
  if (nonce?.length !== IV_LENGTH || !cipher) throw invalid();
  try {
    const opened = await imported(key, 'decrypt');
    const plain = await crypto.subtle.decrypt({ name: 'AES-GCM', iv: nonce }, opened, cipher);
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(plain));
  } catch {
    throw invalid(); // wrong key, changed, or no JSON: all the same to the caller
  }
}

/** Standard base64 with padding. */
export function toBase64(bytes: Bytes): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}

/** The bytes of standard base64 with padding; undefined if it is none. */
export function fromBase64(text: unknown): Bytes | undefined {
  if (typeof text !== 'string' || !/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) {
    return undefined;
  }
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** Whether these are the bytes of a key. */
export function isKey(bytes: Bytes | undefined): bytes is Bytes {
  return bytes?.length === KEY_LENGTH;
}

function imported(key: Bytes, use: 'encrypt' | 'decrypt'): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', key, 'AES-GCM', false, [use]);
}

function invalid(): UnumError {
  return new UnumError('payload_invalid', 'what came over the bridge does not open with this key');
}
