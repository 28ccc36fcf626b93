import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { expect } from 'chai';
import { rejection } from '../../test/store-contract.ts';
import { createConsulStore } from './consul-store.ts';
import type { KeyValueStore } from './key-value-store.ts';

// A server that responds as Consul does on a bad day: a real one does none of this on demand. All that a healthy Consul
// does is tested on a real one, in test/integration/registry.
describe('the Consul store on a bad day', () => {
  let server: Server;
  let store: KeyValueStore;
  let reply: RequestListener;

  before(async () => {
    server = createServer((request, response) => reply(request, response)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    store = createConsulStore({ address: `127.0.0.1:${port}`, timeoutMs: 60_000 });
  });

  after(async () => {
    await store.close();
    server.closeAllConnections();
    await once(server.close(), 'close');
  });

  const statuses = [
    [400, 'registry-refused'],
    [401, 'registry-denied'],
    [403, 'registry-denied'],
    [413, 'registry-refused'],
    [429, 'registry-unreachable'],
    [500, 'registry-unreachable'],
    [503, 'registry-unreachable'],
  ] as const;
  for (const [status, code] of statuses) {
    it(`takes ${status} for ${code}, and says what was requested and what the response was`, async () => {
      reply = (_, response) => response.writeHead(status, { 'content-type': 'text/plain' }).end('because of that');
      for (const call of [
        () => store.get('a'),
        () => store.list('a/'),
        () => store.transact([{ kind: 'delete', key: 'a' }]),
      ]) {
        const error = await rejection(call());
        expect(error).to.have.property('code', code);
        expect(error)
          .to.have.property('message')
          .that.matches(new RegExp(`consul: .*\\ba.*${status} because of that`));
      }
    });
  }

  it('detects a response that breaks off, long before its deadline', async () => {
    reply = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1_000 });
      response.write('[', () => response.destroy());
    };
    expect(await rejection(store.list('a/'))).to.have.property('code', 'registry-unreachable');
  });

  it('takes a response that is no JSON for none', async () => {
    reply = (_, response) => response.writeHead(200, { 'content-type': 'application/json' }).end('<html>');
    expect(await rejection(store.get('a'))).to.have.property('code', 'registry-unreachable');
  });

  it('never queries in a loop because an index is missing or zero', async () => {
    for (const index of [undefined, '0', 'x', '-5']) {
      reply = (_, response) => response.writeHead(404, index === undefined ? {} : { 'x-consul-index': index }).end();
      expect(await store.waitForKey('a', 0, AbortSignal.timeout(20_000))).to.deep.equal({ index: 1, data: undefined });
    }
  });

  it('wakes no watch on an empty prefix for writes elsewhere', async () => {
    // Consul's index moves with every write while the key is missing; the fourth of them makes it.
    let index = 10;
    reply = (_, response) => {
      index += 1;
      const isThere = index >= 14;
      const item = [{ Key: 'a', Value: Buffer.from('made').toString('base64'), ModifyIndex: index }];
      response.writeHead(isThere ? 200 : 404, { 'content-type': 'application/json', 'x-consul-index': String(index) });
      response.end(isThere ? JSON.stringify(item) : '');
    };
    const before = await store.waitForKey('a', 0, AbortSignal.timeout(20_000));
    expect(before).to.deep.equal({ index: 11, data: undefined });
    const { data } = await store.waitForKey('a', before.index, AbortSignal.timeout(20_000));
    expect(data).to.deep.include({ value: 'made' });
  });

  it('repeats the blocking queries of a silent server when another call shows that it does not respond', async () => {
    const waits: (string | null)[] = [];
    const held = Promise.withResolvers<void>();
    reply = (request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '', 'http://consul');
      if (pathname.endsWith('/beside')) {
        response.writeHead(500).end('No cluster leader');
        return;
      }
      waits.push(searchParams.get('index'));
      if (waits.length === 1) held.resolve();
      else {
        const item = [{ Key: 'a', Value: '', ModifyIndex: 8 }];
        response
          .writeHead(200, { 'content-type': 'application/json', 'x-consul-index': '8' })
          .end(JSON.stringify(item));
      }
    };
    const waiting = store.waitForKey('a', 7, AbortSignal.timeout(20_000));
    await held.promise;
    expect(await rejection(store.get('beside'))).to.have.property('code', 'registry-unreachable');
    expect((await waiting).index).to.equal(8);
    expect(waits).to.deep.equal(['7', '7']);
  });

  it('does not take what a token may not see for what is not there', async () => {
    reply = (_, response) =>
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ Results: [], Errors: null }));
    expect(await rejection(store.getMany(['a', 'b']))).to.have.property('code', 'registry-denied');
  });
});
