// One human, one vote. The vote is the signal: whoever carries the proof cannot turn a yes into a no. The server trusts
// an Unum server for the list of roots only; proofs are checked here, and who has voted is known to nobody else.

import { appendFileSync, existsSync, readFileSync } from "node:fs";

import { Humans } from "@unum/verify";
import { fetchKeys, problem, RootsClient } from "@unum/verify/server";

import { readJson, Refused, send, serve } from "../http.mjs";

const {
  UNUM_URL = "http://127.0.0.1:8080",
  PORT = "3000",
  UNUM_KEY,
  VOTES,
} = process.env;

const APP_ID = "app_example_vote";
const ACTION = "park-2027"; // another question is another action, and everyone may vote again
const CHOICES = ["yes", "no"];

// The key of circuits/keys/development, for trying this. Whoever names the key can make up voters: a real vote takes
// the key of a ceremony that its voters trust.
const KEY =
  UNUM_KEY ??
  "061c8e332f1df12093456db1605e79e98e9cacb5a521546e30ed978df0025640";

// Nullifier to vote. A line in the file is both at once, so that no crash can use a human's vote up and lose it.
const file = VOTES ?? new URL("votes.jsonl", import.meta.url);
const votes = new Map(
  existsSync(file) ? lines(readFileSync(file, "utf8")) : [],
);

const humans = new Humans({
  appId: APP_ID,
  keys: (await fetchKeys(UNUM_URL, [KEY])).map(({ key }) => key),
  roots: new RootsClient(UNUM_URL),
  store: {
    uses: async (_scope, nullifier) => (votes.has(nullifier) ? 1 : 0),
    consume: () =>
      Promise.reject(
        new Error(
          "a vote is written together with its nullifier, in POST /vote",
        ),
      ),
  },
});

serve(
  PORT,
  new URL("index.html", import.meta.url),
  { appId: APP_ID, action: ACTION, bridge: UNUM_URL },
  {
    "GET /votes": count,

    async "POST /vote"(request, response) {
      const { vote, unum } = await readJson(request);
      if (!CHOICES.includes(vote)) throw new Refused(422, "vote_unknown");

      const examined = await humans
        .examine(unum, { action: ACTION, signal: vote })
        .catch(unavailable);
      // No `await` from here to the write: of two requests at once, one comes first.
      if (!examined.ok || votes.has(examined.nullifier)) {
        const { status, ...body } = problem(
          examined.ok ? "nullifier_used" : examined.code,
        );
        return send(response, status, body);
      }
      appendFileSync(file, `${JSON.stringify([examined.nullifier, vote])}\n`, {
        flush: true,
      }); // then answer
      votes.set(examined.nullifier, vote);
      return count();
    },
  },
);

function count() {
  return Object.fromEntries(
    CHOICES.map((choice) => [
      choice,
      [...votes.values()].filter((vote) => vote === choice).length,
    ]),
  );
}

function lines(text) {
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

/** The Unum server does not answer, and the root is one that it has not named before. */
function unavailable(error) {
  if (error.code === "unavailable") return { ok: false, code: "unavailable" };
  throw error;
}
