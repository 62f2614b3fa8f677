/** A page's modules over HTTP: what an import map needs where there is no bundler. */

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { fileUrl } from './files.js';

const IMPORTS = {
  '@unum/verify/element': '/dist/element.js',
  '@unum/verify': '/dist/index.js',
  '@noble/curves/': '/node_modules/@noble/curves/',
  '@noble/hashes/': '/node_modules/@noble/hashes/',
  qr: '/node_modules/qr/index.js',
};

/** A strict one: a component that needs inline styles or markup from text would break under it. */
const POLICY =
  "default-src 'none'; script-src 'self' 'nonce-page'; connect-src http://127.0.0.1:*; require-trusted-types-for 'script'";

/** Serves `page` at `/` and the package's modules below it. */
export async function startPage(page: string): Promise<{ url: string; close(): void }> {
  const map = `<script type="importmap" nonce="page">${JSON.stringify({ imports: IMPORTS })}</script>`;
  const server = createServer(async (request, response) => {
    const path = request.url ?? '/';
    if (path === '/') {
      response.setHeader('content-type', 'text/html; charset=utf-8');
      response.setHeader('content-security-policy', POLICY);
      response.end(page.replace('<head>', `<head>${map}`));
    } else if (/^\/(dist|node_modules)\/[\w@./-]+\.js$/.test(path) && !path.includes('..')) {
      response.setHeader('content-type', 'text/javascript');
      response.end(await readFile(fileUrl(`verify/js${path}`)).catch(() => ''));
    } else {
      response.statusCode = 404;
      response.end();
    }
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () => (server.closeAllConnections(), server.close()),
  };
}
