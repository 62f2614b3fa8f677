/** Milliseconds for each verification on this machine: `npm run bench`. */

import { cpus } from 'node:os';

import { Verifier } from '@unum/verify';

import { WORLD_KEY, WORLD_PROOF, WORLD_STATEMENT } from './help/world.js';

const RUNS = 200;

const start = performance.now();
const verifier = new Verifier(WORLD_KEY);
const prepared = performance.now() - start;

for (let i = 0; i < 20; i++) verifier.verify(WORLD_STATEMENT, WORLD_PROOF); // until the compiler has seen it
const times = Array.from({ length: RUNS }, () => {
  const start = performance.now();
  if (!verifier.verify(WORLD_STATEMENT, WORLD_PROOF)) throw new Error('the proof does not hold');
  return performance.now() - start;
}).sort((a, b) => a - b);

const at = (share: number) => times[Math.floor(share * RUNS)]?.toFixed(1);
console.log(`${cpus()[0]?.model}, Node ${process.versions.node}`);
console.log(
  `preparing a key ${prepared.toFixed(0)} ms; a proof ${at(0.5)} ms (median of ${RUNS}), ${at(0.95)} ms (95 %)`,
);
