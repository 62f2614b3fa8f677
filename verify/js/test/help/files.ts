/** Files of the repository that tests read. */

import { readFileSync } from 'node:fs';

/** The repository's root, seen from `verify/js/build/help`. */
const ROOT = new URL('../../../../', import.meta.url);

export function bytesOf(path: string): Uint8Array {
  return readFileSync(new URL(path, ROOT));
}

export function jsonOf(path: string): any {
  return JSON.parse(readFileSync(new URL(path, ROOT), 'utf8'));
}

export function fileUrl(path: string): URL {
  return new URL(path, ROOT);
}
