// What both examples need of a web server, so that each of them shows only what is about humans. An app has a framework
// and a bundler for this.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

const unum = dirname(
  fileURLToPath(import.meta.resolve("@unum/verify/element")),
);
const require = createRequire(`${unum}/element.js`);

/** The folders that the page's modules lie in. Nothing else of this machine is served. */
const FOLDERS = {
  unum,
  hashes: dirname(require.resolve("@noble/hashes/sha3.js")),
  qr: dirname(require.resolve("qr")),
};

/** An import map: how a page finds modules by name without a bundler. */
const IMPORTS = {
  "@unum/verify/element": "/modules/unum/element.js",
  "@noble/hashes/": "/modules/hashes/",
  qr: "/modules/qr/index.js",
};

/** Bytes of a request's body: a proof has some 1,200. */
const MAX_BODY = 16 * 1024;

/** Starts a server on loopback. `routes` maps `GET /path` to a handler; what it returns is sent as JSON. */
export function serve(port, pageUrl, values, routes) {
  const server = createServer(async (request, response) => {
    const path = new URL(request.url, "http://localhost").pathname;
    try {
      const handler = routes[`${request.method} ${path}`];
      if (handler) {
        const answer = await handler(request, response);
        if (!response.writableEnded) send(response, 200, answer);
      } else if (request.method === "GET" && path === "/") {
        response
          .setHeader("content-type", "text/html; charset=utf-8")
          .end(await page(pageUrl, values));
      } else {
        await sendModule(path, response);
      }
    } catch (error) {
      if (!(error instanceof Refused)) console.error(error); // the cause is for our log, not for the client
      if (!response.writableEnded)
        send(response, error.status ?? 500, { code: error.code ?? "internal" });
    }
  });
  server.listen(port, "127.0.0.1", () =>
    console.log(`http://127.0.0.1:${server.address().port}`),
  );
}

/** A request that cannot be answered, with a status and a code for its client. */
export class Refused extends Error {
  constructor(status, code) {
    super(code);
    Object.assign(this, { status, code });
  }
}

/** The JSON object in a request's body. */
export async function readJson(request) {
  let text = "";
  for await (const part of request.setEncoding("utf8")) {
    text += part;
    if (text.length > MAX_BODY) throw new Refused(413, "body_too_long");
  }
  try {
    return Object(JSON.parse(text));
  } catch {
    throw new Refused(400, "body_invalid");
  }
}

/** Sends JSON: with a status of 400 or more, a problem (RFC 9457). */
export function send(response, status, body) {
  const type = status < 400 ? "application/json" : "application/problem+json";
  response.statusCode = status;
  response
    .setHeader("content-type", type)
    .end(JSON.stringify(status < 400 ? body : { status, ...body }));
}

/** The page, with `{{name}}` replaced: by text from this program only, never by what a user wrote. */
async function page(url, values) {
  const all = { imports: JSON.stringify({ imports: IMPORTS }), ...values };
  return (await readFile(url, "utf8")).replace(
    /\{\{(\w+)\}\}/g,
    (_, name) => all[name],
  );
}

async function sendModule(path, response) {
  const [, folder, file] =
    /^\/modules\/(unum|hashes|qr)\/((?:[\w-]+\/)*[\w-]+\.js)$/.exec(path) ?? [];
  const text =
    folder &&
    (await readFile(`${FOLDERS[folder]}/${file}`).catch(() => undefined));
  if (!text) throw new Refused(404, "not_found");
  response.setHeader("content-type", "text/javascript").end(text);
}
