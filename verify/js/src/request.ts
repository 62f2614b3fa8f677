/**
 * Requests that an app signs, so that a wallet can show who asks (World ID 4).
 *
 * ```text
 * 0x01 ‖ nonce (32) ‖ created_at (u64 BE) ‖ expires_at (u64 BE) [‖ action (field element, 32)]     49 or 81 bytes
 * ```
 *
 * The message is hashed by EIP-191 (`personal_sign`) and signed with secp256k1; the signature is `r ‖ s ‖ v`, 65 bytes
 * with `v` of 27 or 28 and the lower `s` only (EIP-2), so that there is one signature and not two. Checked in the tests
 * against `viem` and against the messages and signatures of World's own `idkit`.
 *
 * Signing belongs on the app's server: never put the key into a page.
 */

import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';

import { concatBytes, fromHex, hexToBytes, isLowerHex, toHex, utf8 } from './bytes.js';
import { UnumError } from './error.js';
import { fieldBytes, parseFieldElement, type FieldElement } from './field.js';
import { hashToField } from './hash.js';

/** How long a request may live, in seconds. */
export const MAX_LIFE = 300;

/** How far the clocks of the app and of the wallet may be apart, in seconds. */
export const CLOCK_SKEW = 30;

/** What the app signs: everything that the wallet gets besides the signature and the name of the action. */
export interface AppRequest {
  /** Random, used once. Whoever accepts requests remembers the nonces of those that have not expired. */
  readonly nonce: FieldElement<'nonce'>;
  /** Seconds since 1970. */
  readonly created_at: number;
  /** Seconds since 1970, at most {@link MAX_LIFE} after `created_at`. */
  readonly expires_at: number;
}

/** A request with its signature: `0x` and 130 lower-case hex digits. */
export interface SignedRequest extends AppRequest {
  readonly signature: string;
}

/** What to sign, and with what. */
export interface Signing {
  /** 32 bytes, or `0x` and 64 hex digits. */
  readonly secretKey: Uint8Array | string;
  /** The action's name; absent for a request that is for no action, which is not the same as the empty one. */
  readonly action?: string;
  /** Seconds since 1970. Default: now. */
  readonly now?: number;
  /** Seconds, at most {@link MAX_LIFE}. Default: that. */
  readonly life?: number;
  /** 32 random bytes, hashed to the nonce. Default: the platform's randomness. */
  readonly random?: Uint8Array;
}

/** What a signed request is checked against. */
export interface Checking {
  /** The address that the app is known by: `0x` and 40 lower-case hex digits. */
  readonly signer: string;
  /** The action that the request is said to be for. */
  readonly action?: string;
  /** Seconds since 1970. Default: now. */
  readonly now?: number;
}

/** Why a signed request does not count, or that it does. That its nonce is new is for the caller to check. */
export type RequestCheck =
  | { readonly ok: true; readonly nonce: FieldElement<'nonce'> }
  | { readonly ok: false; readonly code: 'request_malformed' | 'request_expired' | 'signature_invalid' };

/**
 * Signs a request.
 *
 * @throws {UnumError} `request_malformed` for a key that is none, or a life that is too long; `text_malformed`
 */
export function signRequest(signing: Signing): SignedRequest {
  const { now = clock(), life = MAX_LIFE, random = crypto.getRandomValues(new Uint8Array(32)) } = signing;
  const request = { nonce: hashToField<'nonce'>(random), created_at: now, expires_at: now + life };
  const digest = digestOf(requestMessage(request, signing.action));
  const recovered = secp256k1.sign(digest, secretKey(signing.secretKey), { prehash: false, format: 'recovered' });
  const [v = 0] = recovered; // noble's order is v ‖ r ‖ s
  return { ...request, signature: toHex(concatBytes(recovered.subarray(1), Uint8Array.of(27 + v))) };
}

/**
 * The message that is signed: 49 bytes, or 81 with an action.
 *
 * @throws {UnumError} `request_malformed` or `text_malformed`
 */
export function requestMessage({ nonce, created_at, expires_at }: AppRequest, action?: string): Uint8Array {
  if (!isTime(created_at) || !isTime(expires_at)) throw malformed('times are whole seconds since 1970');
  if (expires_at <= created_at || expires_at > created_at + MAX_LIFE) {
    throw malformed(`a request lives for 1 to ${MAX_LIFE} seconds`);
  }
  const times = new DataView(new ArrayBuffer(16));
  times.setBigUint64(0, BigInt(created_at));
  times.setBigUint64(8, BigInt(expires_at));
  const subject = action === undefined ? new Uint8Array() : fieldBytes(hashToField(utf8(action)));
  return concatBytes(Uint8Array.of(1), fieldBytes(nonce), new Uint8Array(times.buffer), subject);
}

/**
 * Checks a request that came from outside: its form, its time, and that `signer` has signed it. Two checks are left to
 * the caller: that the nonce is new, and that `signer` is the address of the app that it shows to its user.
 */
export function checkRequest(json: unknown, { signer, action, now = clock() }: Checking): RequestCheck {
  const request = read(json);
  if (!request) return { ok: false, code: 'request_malformed' };
  let found: string;
  try {
    found = recoverSigner(request, action);
  } catch (error) {
    if (!(error instanceof UnumError)) throw error;
    return { ok: false, code: error.code === 'request_malformed' ? 'request_malformed' : 'signature_invalid' };
  }
  if (found !== signer) return { ok: false, code: 'signature_invalid' };
  const timely = request.created_at <= now + CLOCK_SKEW && now < request.expires_at;
  return timely ? { ok: true, nonce: request.nonce } : { ok: false, code: 'request_expired' };
}

/**
 * The address that has signed: `0x` and 40 lower-case hex digits. Any signature gives some address: compare it.
 *
 * @throws {UnumError} `request_malformed`, or `point_invalid` for a signature that belongs to nobody
 */
export function recoverSigner(request: SignedRequest, action?: string): string {
  const digest = digestOf(requestMessage(request, action));
  const bytes = fromHex(request.signature);
  const v = bytes[64];
  if (v !== 27 && v !== 28) throw malformed('v is 27 or 28');
  try {
    const signature = secp256k1.Signature.fromBytes(bytes.subarray(0, 64), 'compact');
    if (!signature.hasHighS()) {
      return addressOf(
        signature
          .addRecoveryBit(v - 27)
          .recoverPublicKey(digest)
          .toBytes(false),
      );
    }
  } catch (error) {
    throw new UnumError('point_invalid', 'a signature of nobody', { cause: error });
  }
  throw new UnumError('point_invalid', 'the higher of two possible signatures');
}

/**
 * The address of a secret key: `0x` and 40 lower-case hex digits.
 *
 * @throws {UnumError} `request_malformed`
 */
export function signerOf(key: Uint8Array | string): string {
  return addressOf(secp256k1.getPublicKey(secretKey(key), false));
}

/** The last 20 bytes of `keccak256(x ‖ y)`. */
function addressOf(publicKey: Uint8Array): string {
  return toHex(keccak_256(publicKey.subarray(1)).subarray(12));
}

/** EIP-191, version 0x45. */
function digestOf(message: Uint8Array): Uint8Array {
  return keccak_256(concatBytes(utf8(`\x19Ethereum Signed Message:\n${message.length}`), message));
}

function read(json: unknown): SignedRequest | undefined {
  if (typeof json !== 'object' || json === null) return undefined;
  const { nonce, created_at, expires_at, signature } = json as Record<string, unknown>;
  if (!isTime(created_at) || !isTime(expires_at) || !isLowerHex(signature, 130)) return undefined;
  try {
    return { nonce: parseFieldElement(nonce), created_at, expires_at, signature };
  } catch {
    return undefined;
  }
}

function secretKey(key: Uint8Array | string): Uint8Array {
  const bytes = typeof key !== 'string' ? key : /^0x[0-9a-fA-F]{64}$/.test(key) ? hexToBytes(key.slice(2)) : undefined;
  // The message says nothing about the key: it may end up in a log.
  if (!bytes || !secp256k1.utils.isValidSecretKey(bytes)) throw malformed('not a secret key of secp256k1');
  return bytes;
}

function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function clock(): number {
  return Math.floor(Date.now() / 1000);
}

function malformed(message: string): UnumError {
  return new UnumError('request_malformed', message);
}
