/** The examples' pages in Chromium, with a wallet on the other side of the bridge. */

import assert from 'node:assert/strict';
import { mkdtempSync, mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { hashSignal } from '@unum/verify';
import { openLink } from '@unum/verify/bridge';
import type { Browser, Page } from 'playwright-core';

import type { TestBridge } from '../help/bridge.js';
import { skipBrowser, startChromium } from '../help/chromium.js';
import { skipExamples, startExample, startUnum } from '../help/examples.js';
import { bodyOf } from '../help/forge.js';

const skip = skipBrowser || skipExamples;
const PICTURES = fileURLToPath(new URL('./pictures/', import.meta.url));

let unum: TestBridge, browser: Browser, folder: string;

before(async () => {
  if (skip) return;
  mkdirSync(PICTURES, { recursive: true });
  folder = mkdtempSync(join(tmpdir(), 'unum-examples-'));
  unum = await startUnum();
  browser = await startChromium();
});

after(async () => {
  if (skip) return;
  await browser.close();
  unum.close();
  rmSync(folder, { recursive: true });
});

/** Presses the button, and answers as somebody's wallet does. */
async function prove(page: Page, somebody: string, signal: string): Promise<void> {
  await page.getByRole('button', { name: /Prove|Try again/ }).click();
  const link = await page.getByRole('link', { name: 'Open wallet' }).getAttribute('href');
  const { question, answer } = await openLink(link ?? '');
  assert.equal(question.signal_hash, hashSignal(signal));
  await answer(bodyOf(somebody, question.action, signal, { app: question.app_id }));
}

async function open(url: string): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 640, height: 620 } });
  page.on('pageerror', (error) => assert.fail(`in the page: ${error}`));
  await page.goto(url);
  return page;
}

test('a vote', { skip }, async () => {
  const example = await startExample('one-human-one-vote', unum, { VOTES: join(folder, 'votes.jsonl') });
  try {
    let page = await open(example.url);
    await page.getByLabel('No').check();
    await prove(page, 'ann', 'no');
    await page.getByText('Your vote is counted.').waitFor();
    assert.equal(await page.locator('#no').textContent(), '1');
    await page.screenshot({ path: `${PICTURES}example-vote.png` });

    page = await open(example.url);
    await prove(page, 'ann', 'yes');
    await page.getByText('You have voted already.').waitFor();
  } finally {
    await example.stop();
  }
});

test('posts', { skip }, async () => {
  const example = await startExample('posts-per-day', unum);
  try {
    const page = await open(example.url);
    for (const [i, text] of ['First', '<b>Second</b>', 'Third'].entries()) {
      await page.getByLabel('Your post').fill(text);
      await prove(page, 'ann', `post:${text}`);
      await page.getByText(`${2 - i} left today.`).waitFor();
    }
    await page.getByLabel('Your post').fill('Fourth');
    await prove(page, 'ann', 'post:Fourth');
    await page.getByText('You have written all your posts of today.').waitFor();
    assert.equal(await page.getByRole('listitem').count(), 3);
    assert.equal(await page.locator('li b').count(), 0, 'posts are text');
    await page.screenshot({ path: `${PICTURES}example-posts.png` });
  } finally {
    await example.stop();
  }
});
