// Each human may write a few posts a day. The day is part of the action, so that everyone is somebody else tomorrow: no
// two posts of different days can be linked, and nothing has to be forgiven or reset.

import { Humans, MemoryNullifierStore } from "@unum/verify";
import {
  fetchKeys,
  requireHumanExpress,
  RootsClient,
} from "@unum/verify/server";

import { readJson, Refused, serve } from "../http.mjs";

const {
  UNUM_URL = "http://127.0.0.1:8080",
  PORT = "3001",
  UNUM_KEY,
} = process.env;

const APP_ID = "app_example_posts";
const POSTS_PER_DAY = 3;
const MAX_TEXT = 280;

// The key of circuits/keys/development, for trying this: see the other example.
const KEY =
  UNUM_KEY ??
  "061c8e332f1df12093456db1605e79e98e9cacb5a521546e30ed978df0025640";

const humans = new Humans({
  appId: APP_ID,
  keys: (await fetchKeys(UNUM_URL, [KEY])).map(({ key }) => key),
  roots: new RootsClient(UNUM_URL),
  // Forgets when the process ends, as the posts do. Beside a database it is a table: see `NullifierStore`.
  store: new MemoryNullifierStore(),
});

/** Days of UTC: the page asks for the name, so that its clock does not matter. */
const today = () => `post-${new Date().toISOString().slice(0, 10)}`;

// Text such as 0x6869 stands for bytes in a signal. With a word before it, every text is a signal of its own.
const signalOf = (text) => `post:${text}`;

const onlyHumans = requireHumanExpress(humans, ({ body }) => {
  const { text } = body;
  if (
    typeof text !== "string" ||
    text.length < 1 ||
    text.length > MAX_TEXT ||
    !text.isWellFormed()
  ) {
    throw new Refused(422, "text_invalid");
  }
  return { action: today(), signal: signalOf(text), maxUses: POSTS_PER_DAY };
});

const posts = [];

serve(
  PORT,
  new URL("index.html", import.meta.url),
  { appId: APP_ID, bridge: UNUM_URL, limit: POSTS_PER_DAY },
  {
    "GET /posts": () => ({ action: today(), posts }),

    async "POST /posts"(request, response) {
      request.body = await readJson(request);
      await onlyHumans(request, response, (error) => {
        if (error) throw error;
      });
      if (response.writableEnded) return undefined; // it has said no itself
      const { nullifier, uses } = request.human;
      // The first digits tell the writers of a day apart. The whole nullifier would do no harm: it opens nothing.
      posts.unshift({
        text: request.body.text,
        author: nullifier.slice(2, 10),
        at: Date.now(),
      });
      posts.length = Math.min(posts.length, 100);
      return { left: POSTS_PER_DAY - uses };
    },
  },
);
