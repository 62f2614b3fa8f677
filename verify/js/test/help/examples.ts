/** The example servers, beside an Unum server that publishes one root and a key whose secrets we know. */

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { startBridge, type TestBridge } from './bridge.js';
import { fileUrl } from './files.js';
import { FORGED_KEY, ROOT } from './forge.js';

/** Why the examples cannot be tried here; false if they can. */
export const skipExamples = existsSync(fileUrl('examples/node_modules/@unum/verify'))
  ? false
  : 'the examples are not installed: npm ci --prefix examples';

/** An enrollment server, as far as the examples see of it. */
export function startUnum(): Promise<TestBridge> {
  return startBridge({
    '/v1/roots': { roots: [{ root: ROOT, size: 12, replaced_at: null }], window_seconds: 604_800 },
    '/v1/keys': { keys: [{ id: FORGED_KEY.id, name: 'forged', verifying_key: FORGED_KEY.toSnarkjs() }] },
  });
}

/** An example that runs. */
export interface Example {
  readonly url: string;
  /** Ends it, and waits until it has. */
  stop(): Promise<void>;
}

/** Starts an example on a free port. */
export async function startExample(name: string, unum: TestBridge, env: Record<string, string> = {}): Promise<Example> {
  const file = fileURLToPath(fileUrl(`examples/${name}/server.mjs`));
  const own = { UNUM_URL: unum.url, UNUM_KEY: FORGED_KEY.id, PORT: '0', ...env };
  const child = spawn(process.execPath, [file], {
    env: { ...process.env, ...own },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((end) => child.once('exit', () => end()));
  const url = await new Promise<string>((said, failed) => {
    child.stdout.once('data', (line: Buffer) => said(line.toString().trim()));
    child.once('exit', (code) => failed(new Error(`${name} ended with ${code}`)));
  });
  return { url, stop: () => (child.kill(), ended) };
}
