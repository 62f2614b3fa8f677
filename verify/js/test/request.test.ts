/** App-signed requests, against `viem` and against what World's own `idkit` signs. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { fieldElementOf, hashToField } from '@unum/verify';
import {
  checkRequest,
  recoverSigner,
  requestMessage,
  signerOf,
  signRequest,
  type SignedRequest,
} from '@unum/verify/request';
import { privateKeyToAccount } from 'viem/accounts';
import { recoverMessageAddress } from 'viem';

import { refuses } from './help/assert.js';

const KEY = `0x${'ab'.repeat(32)}` as const;
const NOW = 1_700_000_000;
const SIGNER = signerOf(KEY);
const RANDOM = Uint8Array.from({ length: 32 }, (_, i) => i);
const sign = (action?: string) =>
  signRequest({ secretKey: KEY, now: NOW, random: RANDOM, ...(action !== undefined && { action }) });
const hex = (bytes: Uint8Array) => `0x${Buffer.from(bytes).toString('hex')}` as const;

// worldcoin/idkit, go/idkit/signing_test.go (MIT): key ab…ab, time 1,700,000,000, random bytes 0 to 31.
const IDKIT = {
  nonce: '0x008ae1aa597fa146ebd3aa2ceddf360668dea5e526567e92b0321816a4e895bd',
  message: '0x01008ae1aa597fa146ebd3aa2ceddf360668dea5e526567e92b0321816a4e895bd000000006553f100000000006553f22c',
  signature:
    '0x14f693175773aed912852a601e9c0fd30f2afe2738d31388316232ce6f64ae9e4edbfb19d81c4229ba9c9fca78ede4b28956b7ba4415f08d957cbc1b3bdaa4021b',
  withAction:
    '0x05594adb6c1495768a38d523d7d6ee6356b2c31231919198794ed022ade7d08f73753f83bd167067d99c9b969d28e9222315837c66af25867b041273a6d5056f1b',
};

test('what idkit signs', () => {
  const request = sign();
  assert.deepEqual(request, { nonce: IDKIT.nonce, created_at: NOW, expires_at: NOW + 300, signature: IDKIT.signature });
  assert.equal(hex(requestMessage(request)), IDKIT.message);
  assert.equal(sign('test-action').signature, IDKIT.withAction);
});

test('what viem signs and recovers', async () => {
  const account = privateKeyToAccount(KEY);
  assert.equal(SIGNER, account.address.toLowerCase());
  for (const action of [undefined, '', 'vote', 'größe']) {
    const request = sign(action);
    const message = { raw: hex(requestMessage(request, action)) };
    assert.equal(requestMessage(request, action).length, action === undefined ? 49 : 81);
    assert.equal(request.signature, await account.signMessage({ message }), `${action}`);
    const signature = request.signature as `0x${string}`;
    assert.equal((await recoverMessageAddress({ message, signature })).toLowerCase(), recoverSigner(request, action));
  }
});

test('a request counts for its action, its signer and five minutes', () => {
  const request = sign('vote');
  const check = (change: object, json: unknown = request) => {
    const result = checkRequest(json, { signer: SIGNER, action: 'vote', now: NOW + 10, ...change });
    return result.ok ? null : result.code;
  };
  assert.deepEqual(checkRequest(request, { signer: SIGNER, action: 'vote', now: NOW }), {
    ok: true,
    nonce: request.nonce,
  });
  assert.equal(check({}), null);
  assert.equal(check({ now: NOW + 299 }), null);
  assert.equal(check({ now: NOW + 300 }), 'request_expired');
  assert.equal(check({ now: NOW - 30 }), null);
  assert.equal(check({ now: NOW - 31 }), 'request_expired');
  assert.equal(check({ action: 'post' }), 'signature_invalid');
  assert.equal(check({ action: '' }), 'signature_invalid');
  assert.equal(check({ signer: signerOf(`0x${'cd'.repeat(32)}`) }), 'signature_invalid');
  assert.equal(checkRequest(request, { signer: SIGNER, now: NOW }).ok, false, 'no action is not this action');

  const changed = (change: Partial<Record<keyof SignedRequest, unknown>>) => check({}, { ...request, ...change });
  assert.equal(changed({ nonce: fieldElementOf(5n) }), 'signature_invalid');
  assert.equal(changed({ created_at: NOW + 1 }), 'signature_invalid');
  assert.equal(changed({ expires_at: NOW + 299 }), 'signature_invalid');
  for (const change of [
    { expires_at: NOW + 301 },
    { expires_at: NOW },
    { created_at: `${NOW}` },
    { created_at: NOW + 0.5 },
    { nonce: '0x5' },
    { signature: request.signature.toUpperCase() },
    { signature: request.signature.slice(0, -2) },
    { signature: undefined },
  ]) {
    assert.equal(changed(change), 'request_malformed', JSON.stringify(change));
  }
  for (const json of [null, 5, '', []]) assert.equal(check({}, json), 'request_malformed');
});

test('one signature, not two', () => {
  const request = sign();
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
  const s = BigInt(`0x${request.signature.slice(66, 130)}`);
  const flipped = request.signature.endsWith('1b') ? '1c' : '1b';
  const high = (order - s).toString(16).padStart(64, '0');
  const code = (signature: string) => {
    const result = checkRequest({ ...request, signature }, { signer: SIGNER, now: NOW });
    return result.ok ? null : result.code;
  };
  assert.equal(code(request.signature.slice(0, 66) + high + flipped), 'signature_invalid', 'the higher s');
  assert.equal(code(request.signature.slice(0, 130) + '00'), 'request_malformed', 'v of 0');
  assert.equal(code(request.signature.slice(0, 130) + flipped), 'signature_invalid', 'the other v');
  assert.equal(code(`0x${'0'.repeat(128)}1b`), 'signature_invalid', 'zeros');
  assert.equal(code(`0x${'f'.repeat(128)}1b`), 'signature_invalid', 'above the order');
});

test('nonces are new each time', () => {
  const [one, two] = [signRequest({ secretKey: KEY }), signRequest({ secretKey: KEY })];
  assert.notEqual(one.nonce, two.nonce);
  assert.equal(sign().nonce, hashToField(RANDOM));
});

test('what cannot be signed', () => {
  for (const secretKey of ['', 'ab'.repeat(32), `0x${'0'.repeat(64)}`, `0x${'f'.repeat(64)}`, new Uint8Array(31)]) {
    refuses('request_malformed', () => signRequest({ secretKey }));
  }
  for (const life of [0, -1, 301, 1.5]) refuses('request_malformed', () => signRequest({ secretKey: KEY, life }));
});
