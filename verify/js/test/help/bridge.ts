/** A bridge in one process: the statuses and the handing out once of `worldcoin/wallet-bridge`, without its database. */

import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Mailbox {
  question?: unknown;
  answer?: unknown;
  status: 'initialized' | 'retrieved';
}

/** A bridge that runs. */
export interface TestBridge {
  readonly url: string;
  /** Everything that was put into it, for looking whether it could be read. */
  readonly seen: string[];
  /** While true, connections are cut. */
  down: boolean;
  /** Forgets every request, as after 900 seconds. */
  expire(): void;
  close(): void;
}

/**
 * Starts one on a free port of loopback.
 *
 * @param published what else the server answers with, by path: as an enrollment server does, which is a bridge as well
 */
export async function startBridge(published: Record<string, unknown> = {}): Promise<TestBridge> {
  const boxes = new Map<string, Mailbox>();
  const state = { down: false, seen: [] as string[] };

  const answer = (method: string, kind: string, id: string, body: string): [number, unknown?] => {
    if (method === 'POST' && kind === 'request' && !id) {
      const created = randomUUID();
      boxes.set(created, { question: JSON.parse(body), status: 'initialized' });
      return [200, { request_id: created }];
    }
    const box = boxes.get(id);
    if (method === 'GET' && kind === 'request') {
      if (!box?.question) return [404];
      const question = box.question;
      delete box.question;
      box.status = 'retrieved';
      return [200, question];
    }
    if (method === 'PUT' && kind === 'response') {
      if (!box) return [400];
      if (box.answer) return [409];
      box.answer = JSON.parse(body);
      return [201];
    }
    if (method === 'GET' && kind === 'response') {
      if (!box) return [404];
      if (!box.answer) return [200, { status: box.status, response: null }];
      boxes.delete(id);
      return [200, { status: 'completed', response: box.answer }];
    }
    return [404];
  };

  const server = createServer(async (request, response) => {
    if (state.down) return void request.socket.destroy();
    response.setHeader('access-control-allow-origin', '*');
    response.setHeader('access-control-allow-headers', '*');
    response.setHeader('access-control-allow-methods', 'GET, POST, PUT');
    if (request.method === 'OPTIONS') return void response.end();
    const body = await read(request);
    if (body) state.seen.push(body);
    if (request.method === 'GET' && request.url && request.url in published) {
      return void response.end(JSON.stringify(published[request.url]));
    }
    const [, kind = '', id = ''] = (request.url ?? '').split('/');
    const [status, json] = answer(request.method ?? '', kind, id, body);
    response.statusCode = status;
    response.end(json === undefined ? '' : JSON.stringify(json));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return Object.assign(state, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    expire: () => boxes.clear(),
    close: () => (server.closeAllConnections(), server.close()),
  });
}

async function read(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}
