/** Refusals on purpose. */

import assert from 'node:assert/strict';

import { UnumError, type ErrorCode } from '@unum/verify';

/** That `run` throws a {@link UnumError} with this code. */
export function refuses(code: ErrorCode, run: () => unknown, name?: string): void {
  assert.throws(run, (error) => has(error, code), name);
}

/** That `run` rejects with a {@link UnumError} with this code. */
export async function rejects(code: ErrorCode, run: Promise<unknown>, name?: string): Promise<void> {
  await assert.rejects(run, (error) => has(error, code), name);
}

function has(error: unknown, code: ErrorCode): boolean {
  assert.ok(error instanceof UnumError, `not an error of ours: ${String(error)}`);
  assert.equal(error.code, code, error.message);
  return true;
}
