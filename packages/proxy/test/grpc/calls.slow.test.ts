import {
  type Client,
  Metadata,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { expect } from 'chai';
import { ErrorCode } from '../../src/http/http2/frames.ts';
import { refuse } from '../../src/middleware/local-responses.ts';
import type { Middleware } from '../../src/middleware/middleware.ts';
import { startEndpoint } from '../http2-endpoint/foreign-endpoint.ts';
import { makeExpressHttp2Server, makeHttp2Server, type Rig, type RigOptions, startRig } from '../server-rig.ts';
import { endpointAt, tinyRoute } from '../test-context.ts';
import { until } from '../until.ts';
import { echoService, grpcClient, startGrpcServer, unary } from './grpc-stage.ts';

type Unary = (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => void;
const raw = (value: Buffer) => value;

const echo: Unary = ({ request, metadata }, done) => {
  const trailers = new Metadata();
  trailers.set('x-sum', String(request.length));
  trailers.set('sum-bin', Buffer.from([0, 255, 1]));
  const head = new Metadata();
  head.set('x-te', String(metadata.get('x-own')));
  done(null, request, trailers);
};

for (const [router, make] of [
  ['core', makeHttp2Server],
  ['express', makeExpressHttp2Server],
] as const)
  describe(`gRPC calls of grpc-js through the proxy, ${router}`, () => {
    const grpcRoute = tinyRoute('web', { protocol: 'grpc' });
    let onUnary: Unary;
    let onCollect: (call: ServerReadableStream<Buffer, Buffer>, done: sendUnaryData<Buffer>) => void;
    let onExpand: (call: ServerWritableStream<Buffer, Buffer>) => void;
    let onChat: (call: ServerDuplexStream<Buffer, Buffer>) => void;
    let grpc: Awaited<ReturnType<typeof startGrpcServer>>;
    let rig: Rig;
    let client: Client;

    beforeEach(async () => {
      onUnary = echo;
      grpc = await startGrpcServer({
        Unary: ((call, done) => onUnary(call, done)) satisfies Unary,
        Collect: (call: ServerReadableStream<Buffer, Buffer>, done: sendUnaryData<Buffer>) => onCollect(call, done),
        Expand: (call: ServerWritableStream<Buffer, Buffer>) => onExpand(call),
        Chat: (call: ServerDuplexStream<Buffer, Buffer>) => onChat(call),
      });
    });
    afterEach(async () => {
      client.close();
      await rig.stop();
      grpc.stop();
    });

    async function start(options: Partial<RigOptions> = {}): Promise<void> {
      const route = { ...grpcRoute, upstreamHttp2: true as const };
      rig = await startRig(make, { endpoints: [grpc.endpoint], routeOf: () => route, ...options });
      client = grpcClient(rig.port);
    }
    const record = async () => {
      await until(() => rig.context.reports.length > 0, 'the access record');
      const [{ status, grpcStatus, reason } = { status: 0, grpcStatus: 0, reason: '' }] = rig.context.reports;
      return { status, grpcStatus, reason };
    };

    it('are unary, with metadata both ways', async () => {
      await start();
      const metadata = new Metadata();
      metadata.set('x-own', 'mine');
      metadata.set('key-bin', Buffer.from([1, 0, 255]));
      let seen: Metadata | undefined;
      onUnary = (call, done) => {
        seen = call.metadata;
        const head = new Metadata();
        head.set('x-head', 'early');
        call.sendMetadata(head);
        echo(call, done);
      };
      const result = await unary(client, 'hello', { metadata });
      expect([result.code, result.message]).to.deep.equal([0, 'hello']);
      expect(result.head.get('x-head')).to.deep.equal(['early']);
      expect(result.trailers.get('x-sum')).to.deep.equal(['5']);
      expect(result.trailers.get('sum-bin')).to.deep.equal([Buffer.from([0, 255, 1])]);
      expect(seen?.get('x-own')).to.deep.equal(['mine']);
      expect(seen?.get('key-bin')).to.deep.equal([Buffer.from([1, 0, 255])]);
      expect(await record()).to.deep.equal({ status: 200, grpcStatus: 0, reason: undefined });
    });

    it('carry messages beyond every window', async () => {
      await start();
      const large = Buffer.alloc(3_000_000, 'x');
      const result = await unary(client, large);
      expect([result.code, result.message?.length]).to.deep.equal([0, large.length]);
    });

    it('fail with the server’s status, message and details without a message', async () => {
      await start();
      onUnary = (_call, done) => {
        const metadata = new Metadata();
        metadata.set('grpc-status-details-bin', Buffer.from('why'));
        done({ code: 9, details: 'no: 100 % “full”', metadata });
      };
      const { code, details, trailers } = await unary(client, 'x');
      expect([code, details]).to.deep.equal([9, 'no: 100 % “full”']);
      expect(trailers.get('grpc-status-details-bin')).to.deep.equal([Buffer.from('why')]);
      expect(await record()).to.deep.equal({ status: 200, grpcStatus: 9, reason: undefined });
    });

    it('stream from the client', async () => {
      await start();
      onCollect = (call, done) => {
        const received: string[] = [];
        call.on('data', (chunk: Buffer) => received.push(chunk.toString()));
        call.on('end', () => done(null, Buffer.from(received.join('+'))));
      };
      const reply = await new Promise((resolve) => {
        const call = client.makeClientStreamRequest(echoService.Collect.path, raw, raw, (error, value) =>
          resolve(error ?? value?.toString()),
        );
        for (const each of ['a', 'b', 'c']) call.write(Buffer.from(each));
        call.end();
      });
      expect(reply).to.equal('a+b+c');
    });

    it('stream to the client, each message as it comes', async () => {
      await start();
      let sendNext: (() => void) | undefined;
      onExpand = (call) => {
        let sent = 0;
        sendNext = () => {
          if (sent === 3) call.end();
          else call.write(Buffer.from(`message ${++sent}`));
        };
        sendNext();
      };
      const received: string[] = [];
      const call = client.makeServerStreamRequest(echoService.Expand.path, raw, raw, Buffer.from('go'));
      call.on('data', (chunk: Buffer) => {
        received.push(chunk.toString());
        sendNext?.();
      });
      await new Promise((resolve) => call.on('status', resolve));
      expect(received).to.deep.equal(['message 1', 'message 2', 'message 3']);
    });

    it('stream both ways at once, and go on after a half-close', async () => {
      await start();
      onChat = (call) => {
        call.on('data', (chunk: Buffer) => call.write(Buffer.from(`<${chunk.toString()}>`)));
        call.on('end', () => {
          call.write(Buffer.from('last'));
          call.end();
        });
      };
      const received: string[] = [];
      const call = client.makeBidiStreamRequest(echoService.Chat.path, raw, raw);
      call.on('data', (chunk: Buffer) => {
        received.push(chunk.toString());
        // Each message waits for the response to the one before: nothing may be held back.
        if (received.length < 5) call.write(Buffer.from(String(received.length)));
        else if (received.length === 5) call.end();
      });
      call.write(Buffer.from('0'));
      const status = await new Promise<{ code: number }>((resolve) => call.on('status', resolve));
      expect(received).to.deep.equal(['<0>', '<1>', '<2>', '<3>', '<4>', 'last']);
      expect(status.code).to.equal(0);
    });

    it('may be silent for longer than requests of HTTP may, on both sides', async () => {
      await start({ timeouts: { serverMs: 50, clientMs: 50 } });
      onChat = (call) => {
        // Time itself is tested: six times the limits above.
        call.on('data', () => setTimeout(() => call.write(Buffer.from('late')), 300));
        call.on('end', () => call.end());
      };
      const call = client.makeBidiStreamRequest(echoService.Chat.path, raw, raw);
      const received: string[] = [];
      call.on('data', (chunk: Buffer) => {
        received.push(chunk.toString());
        call.end();
      });
      call.write(Buffer.from('x'));
      const status = await new Promise<{ code: number }>((resolve) => call.on('status', resolve));
      expect([status.code, received]).to.deep.equal([0, ['late']]);
    });

    it('are cancelled at the server when the client cancels', async () => {
      await start();
      let cancelled = false;
      onChat = (call) => {
        call.on('cancelled', () => {
          cancelled = true;
        });
        call.write(Buffer.from('x'));
      };
      const call = client.makeBidiStreamRequest(echoService.Chat.path, raw, raw);
      call.on('error', () => undefined);
      call.once('data', () => call.cancel());
      call.resume();
      await until(() => cancelled, 'the cancellation');
      expect(rig.context.outcomes.includes('broken')).to.equal(false);
    });

    it('run side by side over one connection to the server', async () => {
      await start();
      const results = await Promise.all(Array.from({ length: 60 }, (_, at) => unary(client, `call ${at}`)));
      for (const [at, { message }] of results.entries()) expect(message).to.equal(`call ${at}`);
      expect(rig.pool.sizes().open).to.equal(1);
    });

    describe('that the proxy ends itself', () => {
      const step = (name: string, decision: ReturnType<typeof refuse>): Middleware => ({
        name,
        onRequest: () => decision,
      });
      const respond = (status: number, body: string): ReturnType<typeof refuse> => ({
        kind: 'respond',
        response: { status, reason: 'maintenance', body },
      });
      const cases: readonly (readonly [string, () => Partial<RigOptions>, number, string, string])[] = [
        ['no route', () => ({ routeOf: () => undefined }), 12, 'no-route', 'no route matches this request'],
        [
          'no endpoint',
          () => ({ endpoints: [] }),
          14,
          'no-endpoint',
          'the service has no endpoint that can take the request',
        ],
        [
          'no connection',
          () => ({ endpoints: [endpointAt(1, { http2: true })] }),
          14,
          'endpoint-unreachable',
          'the service refused or reset the connection',
        ],
        [
          'the wrong protocol',
          () => ({ endpoints: [endpointAt(grpc.port)] }),
          14,
          'wrong-protocol',
          'the service does not speak the protocol that its label names',
        ],
        [
          'credentials',
          () => ({ steps: [step('users', refuse('credentials-required', ['WWW-Authenticate', 'Basic']))] }),
          16,
          'credentials-required',
          'credentials are required',
        ],
        [
          'an address',
          () => ({ steps: [step('addresses', refuse('address-denied'))] }),
          7,
          'address-denied',
          'this address may not call the service',
        ],
        ['a rate', () => ({ steps: [step('rate', refuse('rate-limited'))] }), 8, 'rate-limited', 'too many requests'],
        [
          'a page',
          () => ({ steps: [step('page', respond(503, '<html>\n</html>'))] }),
          14,
          'maintenance',
          'maintenance',
        ],
        [
          'another status',
          () => ({ steps: [step('page', respond(418, 'a 100 % teapot: ü'))] }),
          2,
          'maintenance',
          'a 100 % teapot: ü',
        ],
      ];
      for (const [name, options, expected, reason, details] of cases)
        it(`get a status of gRPC: ${name}`, async () => {
          await start(options());
          const result = await unary(client, 'x');
          expect([result.code, result.details]).to.deep.equal([expected, details]);
          expect(await record()).to.deep.equal({ status: 200, grpcStatus: expected, reason });
        });

      it('get a status of gRPC: a server that is silent, where the route limits that', async () => {
        const limited = tinyRoute('web', { protocol: 'grpc', timeoutServerMs: 50 });
        await start({ routeOf: () => ({ ...limited, upstreamHttp2: true }) });
        onUnary = () => undefined;
        expect((await unary(client, 'x')).code).to.equal(4);
        expect(await record()).to.deep.equal({ status: 200, grpcStatus: 4, reason: 'head-timeout' });
      });

      it('get their status in trailers where the response has begun', async () => {
        const limited = tinyRoute('web', { protocol: 'grpc', timeoutServerMs: 50 });
        await start({ routeOf: () => ({ ...limited, upstreamHttp2: true }) });
        onExpand = (call) => {
          call.write(Buffer.from('one'));
        };
        const call = client.makeServerStreamRequest(echoService.Expand.path, raw, raw, Buffer.from('go'));
        const received: string[] = [];
        call.on('error', () => undefined);
        call.on('data', (chunk: Buffer) => received.push(chunk.toString()));
        const status = await new Promise<{ code: number }>((resolve) => call.on('status', resolve));
        expect([status.code, received]).to.deep.equal([14, ['one']]);
        expect(await record()).to.deep.equal({ status: 200, grpcStatus: 14, reason: 'answer-truncated' });
      });

      it('end at their grpc-timeout, at the server too, although the client waits on', async () => {
        // A server that keeps no deadline itself: those of gRPC do.
        const foreign = await startEndpoint();
        const codes: number[] = [];
        foreign.onHead = (stream) => stream.on('close', () => codes.push(stream.rstCode));
        foreign.onRequest = () => undefined;
        await start({ endpoints: [foreign.endpoint] });
        const metadata = new Metadata();
        // Given by hand, the client keeps none either.
        metadata.set('grpc-timeout', '50m');
        const result = await unary(client, 'x', { metadata });
        expect([result.code, result.details]).to.deep.equal([4, 'the call was not complete within its grpc-timeout']);
        expect(await record()).to.deep.equal({ status: 200, grpcStatus: 4, reason: 'deadline-exceeded' });
        await until(() => codes.length === 1, 'the cancellation');
        expect(codes).to.deep.equal([ErrorCode.cancel]);
        expect(rig.context.outcomes).to.deep.equal(['abandoned']);
        expect(foreign.seen[0]?.headers.te).to.equal('trailers');
        await foreign.stop();
      });

      it('pass a deadline on to the server', async () => {
        await start();
        let leftMs = 0;
        onUnary = (call, done) => {
          leftMs = Number(call.getDeadline()) - Date.now();
          echo(call, done);
        };
        expect((await unary(client, 'x', { deadlineMs: 30_000 })).code).to.equal(0);
        expect(leftMs).to.be.within(20_000, 30_000);
      });
    });
  });
