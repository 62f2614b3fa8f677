// Compiles solidity/UnumVerifier.sol to solidity/UnumVerifier.json: what the tests run and what is deployed.
// `node compile-solidity.mjs` writes it; with `--check` it compares, and fails if the file is not what comes out.
import { readFileSync, writeFileSync } from "node:fs";
import solc from "solc";

const folder = new URL("../solidity/", import.meta.url);
const name = "UnumVerifier";
const settings = {
  viaIR: true,
  evmVersion: "cancun",
  optimizer: { enabled: true, runs: 1_000_000 }, // deployed once, called for ever
  metadata: { appendCBOR: false }, // so that a comment does not change the code
};
const output = JSON.parse(
  solc.compile(
    JSON.stringify({
      language: "Solidity",
      sources: { [`${name}.sol`]: { content: readFileSync(new URL(`${name}.sol`, folder), "utf8") } },
      settings: { ...settings, outputSelection: { "*": { [name]: ["abi", "evm.bytecode.object"] } } },
    }),
  ),
);
for (const { formattedMessage } of output.errors ?? []) console.error(formattedMessage);
if (output.errors?.length) process.exit(1);

const { abi, evm } = output.contracts[`${name}.sol`][name];
const file = { compiler: solc.version(), settings, abi, bytecode: `0x${evm.bytecode.object}` };
const text = JSON.stringify(file, null, 2) + "\n";
const place = new URL(`${name}.json`, folder);
if (!process.argv.includes("--check")) writeFileSync(place, text);
else if (readFileSync(place, "utf8") !== text) {
  console.error(`${name}.json is not what ${name}.sol compiles to: run this program without --check`);
  process.exit(1);
}
