/**
 * `<unum-verify>` in Chromium, from the first look to each end. Leaves a picture of each state in
 * `build/browser/pictures`. Skipped where there is no Chromium (`CHROMIUM`, or `/usr/bin/chromium`).
 */

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { after, before, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { openLink } from '@unum/verify/bridge';
import type { Browser, Page } from 'playwright-core';
import decodeQR from 'qr/decode.js';

import { startBridge, type TestBridge } from '../help/bridge.js';
import { skipBrowser as skip, startChromium } from '../help/chromium.js';
import { APP, bodyOf } from '../help/forge.js';
import { startPage } from '../help/modules.js';
import { WORLD, WORLD_PROOF, WORLD_STATEMENT } from '../help/world.js';

const PAGE = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Test</title></head>
<body>
<unum-verify app-id="${APP}" action="vote" signal="yes" action-description="Vote yes"></unum-verify>
<script type="module" nonce="page">
import '@unum/verify/element';
globalThis.events = [];
for (const name of ['unum-result', 'unum-error']) {
  document.body.addEventListener(name, (event) => events.push([name, event.detail]));
}
document.querySelector('unum-verify').setAttribute('bridge', location.hash.slice(1));
globalThis.ready = true;
</script></body></html>`;

const PICTURES = fileURLToPath(new URL('./pictures/', import.meta.url));

let bridge: TestBridge, site: Awaited<ReturnType<typeof startPage>>, browser: Browser, page: Page;

before(async () => {
  if (skip) return;
  mkdirSync(PICTURES, { recursive: true });
  bridge = await startBridge();
  site = await startPage(PAGE);
  browser = await startChromium();
});

beforeEach(async () => {
  if (skip) return;
  bridge.down = false;
  page = await browser.newPage({ viewport: { width: 460, height: 560 } });
  page.on('pageerror', (error) => assert.fail(`in the page: ${error}`));
  await page.goto(`${site.url}#${bridge.url}`);
  await page.waitForFunction('globalThis.ready');
});

after(async () => {
  await browser?.close();
  bridge?.close();
  site?.close();
});

const state = (is: string) => page.locator(`unum-verify[state="${is}"]`).waitFor({ timeout: 15_000 });
const button = () => page.locator('unum-verify').getByRole('button');
const status = () => page.locator('unum-verify').getByRole('status').textContent();
const picture = (name: string) => page.screenshot({ path: `${PICTURES}${name}.png` });
const events = () => page.evaluate('globalThis.events') as Promise<[string, any][]>;

/** Presses the button and waits for the code. */
async function ask(): Promise<string> {
  await button().click();
  const link = page.locator('unum-verify').getByRole('link');
  await link.waitFor();
  return (await link.getAttribute('href')) ?? '';
}

test('a proof comes back', { skip }, async () => {
  await state('idle');
  assert.equal(await button().textContent(), 'Prove that you are human');
  assert.equal(await status(), '');
  await picture('idle');

  const link = await ask();
  await state('waiting');
  assert.match(link, /^unum:\/\/verify\?t=wld&i=/);
  assert.equal(await button().textContent(), 'Cancel');
  assert.match((await status()) ?? '', /Scan this code/);
  await picture('waiting');
  assert.equal(await scan(), link, 'the code says what the link says');

  const wallet = await openLink(link);
  assert.equal(wallet.question.action_description, 'Vote yes');
  await state('opened');
  assert.equal(await page.locator('unum-verify').getByRole('img').count(), 0, 'the code has been used');
  await picture('opened');

  const body = bodyOf('ann', 'vote', 'yes');
  await wallet.answer(body);
  await state('done');
  assert.deepEqual(await events(), [['unum-result', body]]);
  assert.equal(await button().count(), 0);
  await picture('done');
});

test('a wallet says no, and may be asked again', { skip }, async () => {
  await (await openLink(await ask())).refuse();
  await state('refused');
  await picture('refused');
  assert.deepEqual(await events(), [['unum-error', { code: 'verification_rejected' }]]);
  assert.equal(await button().textContent(), 'Try again');
  await ask();
  await state('waiting');
});

test('a request expires', { skip }, async () => {
  await ask();
  bridge.expire();
  await state('expired');
  await picture('expired');
  assert.deepEqual(await events(), [['unum-error', { code: 'bridge_expired' }]]);
});

test('a lost connection comes back', { skip }, async () => {
  const link = await ask();
  bridge.down = true;
  await state('offline');
  await picture('offline');
  assert.equal(await button().textContent(), 'Cancel', 'the request goes on');
  bridge.down = false;
  await state('waiting');
  assert.equal(await page.locator('unum-verify').getByRole('link').getAttribute('href'), link);
  assert.deepEqual(await events(), []);
});

test('a bridge that cannot be reached from the start', { skip }, async () => {
  bridge.down = true;
  await button().click();
  await state('offline');
  assert.equal(await button().textContent(), 'Try again');
  assert.deepEqual(await events(), [['unum-error', { code: 'bridge_unavailable' }]]);
});

test('cancelling, removing and changing drop the request', { skip }, async () => {
  const set = (change: string) => page.evaluate(`{ const e = document.querySelector('unum-verify'); ${change} }`);
  await ask();
  await button().click();
  await state('idle');

  const link = await ask();
  await set(`e.setAttribute('signal', 'no')`);
  await state('idle');
  await (await openLink(link)).answer(bodyOf('ann', 'vote', 'yes'));
  await page.waitForTimeout(2000); // longer than between two looks
  assert.deepEqual(await events(), [], 'the answer to a dropped request is not taken');

  await ask();
  await set(`document.body.append(e)`);
  await state('idle');
});

test('with the keyboard alone, and read out', { skip }, async () => {
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await state('waiting');
  await page
    .locator('unum-verify')
    .getByRole('img', { name: /QR code/ })
    .waitFor();
  const inside = 'document.activeElement.shadowRoot.activeElement.className';
  assert.match(String(await page.evaluate(inside)), /^button/, 'the focus stays on the button');
  await page.keyboard.press('Shift+Tab');
  assert.equal(await page.evaluate(inside), 'link');
  const link = await page.locator('unum-verify').getByRole('link', { name: 'Open wallet' }).getAttribute('href');
  await page.keyboard.press('Tab');
  await (await openLink(link ?? '')).answer(bodyOf('ann', 'vote', 'yes'));
  await state('done');
  assert.equal(await page.evaluate(inside), 'status', 'and moves to what has happened');
});

test('in the dark, in another language, in other colours', { skip }, async () => {
  await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
  await page.evaluate(`{
    document.body.style.background = '#000';
    const e = document.querySelector('unum-verify');
    e.messages = { start: 'Beweise, dass du ein Mensch bist' };
    e.style.setProperty('--unum-accent', '#ffd166');
  }`);
  assert.equal(await button().textContent(), 'Beweise, dass du ein Mensch bist');
  await picture('dark-idle');
  const link = await ask();
  await picture('dark-waiting');
  assert.equal(await scan(), link, 'the code stays dark on light');
});

test('the core verifies in a browser too', { skip }, async () => {
  const holds = await page.evaluate(`(async () => {
    const { Verifier, VerifyingKey } = await import('@unum/verify');
    const verifier = new Verifier(VerifyingKey.fromSnarkjs(${JSON.stringify(WORLD.verifying_key)}));
    const statement = ${JSON.stringify(WORLD_STATEMENT)};
    const proof = '${WORLD_PROOF}';
    return [verifier.verify(statement, proof), verifier.verify({ ...statement, signalHash: statement.root }, proof)];
  })()`);
  assert.deepEqual(holds, [true, false]);
});

/** Reads the code off the screen, as a wallet does. */
async function scan(): Promise<string> {
  const png = await page.locator('unum-verify').getByRole('img').screenshot();
  const image = (await page.evaluate(`(async () => {
    const bytes = Uint8Array.from(atob('${png.toString('base64')}'), (c) => c.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
    const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
    context.drawImage(bitmap, 0, 0);
    const { width, height, data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
    return { width, height, data: [...data] };
  })()`)) as { width: number; height: number; data: number[] };
  return decodeQR({ ...image, data: Uint8ClampedArray.from(image.data) });
}
