import type { Client } from '@grpc/grpc-js';
import { expect } from 'chai';
import type { Endpoint } from '../../src/model/endpoint.ts';
import { makeExpressHttp2Server, makeHttp2Server, type Rig, startRig } from '../server-rig.ts';
import { tinyRoute } from '../test-context.ts';
import { until } from '../until.ts';
import { type CallResult, echoService, grpcClient, startGrpcServer, unary } from './grpc-stage.ts';

type Grpc = Awaited<ReturnType<typeof startGrpcServer>>;
const raw = (value: Buffer) => value;

for (const [router, make] of [
  ['core', makeHttp2Server],
  ['express', makeExpressHttp2Server],
] as const)
  describe(`gRPC calls during a rolling update, ${router}`, () => {
    let running: Grpc[];
    let endpoints: Endpoint[];
    let attempts: number;
    let rig: Rig;
    let client: Client;

    const startServer = () =>
      startGrpcServer({
        Unary: (call: { request: Buffer }, done: (error: null, value: Buffer) => void) => {
          attempts += 1;
          setImmediate(() => done(null, call.request));
        },
        Chat: (call: import('@grpc/grpc-js').ServerDuplexStream<Buffer, Buffer>) => {
          call.on('data', (chunk: Buffer) => call.write(chunk));
          call.on('end', () => call.end());
        },
        Collect: () => undefined,
        Expand: () => undefined,
      });

    beforeEach(async () => {
      attempts = 0;
      running = await Promise.all([startServer(), startServer()]);
      endpoints = running.map(({ endpoint }) => endpoint);
      const route = { ...tinyRoute('web', { protocol: 'grpc' }), upstreamHttp2: true as const };
      rig = await startRig(make, { endpoints: () => endpoints, routeOf: () => route });
      client = grpcClient(rig.port);
    });
    afterEach(async () => {
      client.close();
      await rig.stop();
      for (const server of running) server.stop();
    });

    it('fail none, each attempted once at a server, while the servers are replaced one after the other', async () => {
      const results: CallResult[] = [];
      let over = false;
      const caller = async () => {
        while (!over) results.push(await unary(client, `${results.length}`));
      };
      const callers = Array.from({ length: 8 }, caller);
      for (let round = 0; round < 3; round++) {
        for (const [at, old] of running.entries()) {
          const before = results.length;
          await until(() => results.length > before + 50, 'calls in between');
          // The old task ends as Swarm ends it: signalled to stop while it still is in the table, gone, and then replaced.
          await old.drain();
          const next = await startServer();
          running[at] = next;
          endpoints = running.map(({ endpoint }) => endpoint);
        }
      }
      over = true;
      await Promise.all(callers);
      expect(results.filter(({ code }) => code !== 0)).to.deep.equal([]);
      expect(results.length).to.be.greaterThan(300);
      expect(attempts).to.equal(results.length);
    });

    it('end a stream that is open by its own end, when its server drains', async () => {
      const call = client.makeBidiStreamRequest(echoService.Chat.path, raw, raw);
      const received: string[] = [];
      call.on('data', (chunk: Buffer) => received.push(chunk.toString()));
      const ended = new Promise<{ code: number }>((resolve) => call.on('status', resolve));
      call.write(Buffer.from('before'));
      await until(() => received.length === 1, 'the first message');
      const drained = Promise.all(running.map((server) => server.drain()));
      call.write(Buffer.from('after'));
      await until(() => received.length === 2, 'a message after GOAWAY');
      call.end();
      expect((await ended).code).to.equal(0);
      await drained;
      expect(received).to.deep.equal(['before', 'after']);
    });

    it('end a stream that is open by its own end, when the proxy drains', async () => {
      const call = client.makeBidiStreamRequest(echoService.Chat.path, raw, raw);
      const received: string[] = [];
      call.on('data', (chunk: Buffer) => received.push(chunk.toString()));
      const ended = new Promise<{ code: number }>((resolve) => call.on('status', resolve));
      call.write(Buffer.from('before'));
      await until(() => received.length === 1, 'the first message');
      const drained = rig.server.drain(5_000);
      call.write(Buffer.from('after'));
      await until(() => received.length === 2, 'a message after GOAWAY');
      call.end();
      expect((await ended).code).to.equal(0);
      await drained;
    });
  });
