/** Bytes as hex, and text as bytes. Knows no field and no proof. */

import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';

import { UnumError } from './error.js';

export { bytesToHex, concatBytes, hexToBytes } from '@noble/hashes/utils.js';

/** Bytes in a buffer of their own, as WebCrypto takes them. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** Whether `text` is `0x` and exactly `digits` lower-case hex digits: the one way that we write bytes. */
export function isLowerHex(text: unknown, digits: number): text is string {
  return typeof text === 'string' && text.length === 2 + digits && /^0x[0-9a-f]*$/.test(text);
}

/** `0x` and two lower-case digits for each byte. */
export function toHex(bytes: Uint8Array): string {
  return `0x${bytesToHex(bytes)}`;
}

/** The bytes of text that {@link isLowerHex} has let through. */
export function fromHex(text: string): Uint8Array {
  return hexToBytes(text.slice(2));
}

/**
 * UTF-8 of `text`.
 *
 * Half a surrogate pair has no UTF-8; encoders write U+FFFD for it, and then two different texts would hash alike.
 *
 * @throws {UnumError} `text_malformed`
 */
export function utf8(text: string): Bytes {
  if (!text.isWellFormed()) throw new UnumError('text_malformed', 'text with half a surrogate pair');
  return new TextEncoder().encode(text);
}
