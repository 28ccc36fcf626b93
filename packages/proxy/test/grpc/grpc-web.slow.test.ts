import type { ServerUnaryCall, ServerWritableStream, sendUnaryData } from '@grpc/grpc-js';
import { expect } from 'chai';
import { grpcWeb } from '../../src/middleware/grpc-web.ts';
import { refuse } from '../../src/middleware/local-responses.ts';
import type { Middleware } from '../../src/middleware/middleware.ts';
import { everyClient } from '../http2-endpoint/every-client.ts';
import { type Rig, startRig } from '../server-rig.ts';
import { tinyRoute } from '../test-context.ts';
import { until } from '../until.ts';
import { echoService, startGrpcServer } from './grpc-stage.ts';

const framed = (text: string) => {
  const frame = Buffer.alloc(5 + text.length);
  frame.writeUInt32BE(text.length, 1);
  frame.write(text, 5, 'latin1');
  return frame;
};

/** Messages and trailers of a response of gRPC-Web. */
function parsed(body: Buffer): { messages: string[]; trailers: string } {
  const messages: string[] = [];
  let trailers = '';
  for (let at = 0; at < body.length; ) {
    const to = at + 5 + body.readUInt32BE(at + 1);
    const text = body.toString('latin1', at + 5, to);
    if (body[at] === 0x80) trailers += text;
    else messages.push(text);
    at = to;
  }
  return { messages, trailers };
}

for (const { name, make, send } of everyClient)
  describe(`gRPC-Web, over ${name}`, () => {
    let grpc: Awaited<ReturnType<typeof startGrpcServer>>;
    let rig: Rig;
    let onUnary: (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => void;

    beforeEach(async () => {
      onUnary = ({ request }, done) => done(null, request);
      grpc = await startGrpcServer({
        Unary: (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => onUnary(call, done),
        Expand: (call: ServerWritableStream<Buffer, Buffer>) => {
          for (const each of ['one', 'two', 'three']) call.write(Buffer.from(each));
          call.end();
        },
        Collect: () => undefined,
        Chat: () => undefined,
      });
    });
    afterEach(async () => {
      await rig.stop();
      grpc.stop();
    });

    const start = async (...more: Middleware[]) => {
      const route = { ...tinyRoute('web', { protocol: 'grpc', grpcWeb: true }), upstreamHttp2: true as const };
      rig = await startRig(make, { endpoints: [grpc.endpoint], routeOf: () => route, steps: [grpcWeb, ...more] });
    };
    const call = async (form: 'binary' | 'text', message: string, path = echoService.Unary.path, pieces?: string[]) => {
      const type = `application/grpc-web${form === 'text' ? '-text' : ''}+proto`;
      const body = form === 'text' ? framed(message).toString('base64') : framed(message).toString('latin1');
      const sent = pieces ?? [body];
      const length = sent.reduce((sum, each) => sum + each.length, 0);
      const response = await send(rig, {
        method: 'POST',
        path,
        headers: { 'content-type': type, 'x-grpc-web': '1', 'content-length': String(length) },
        body: sent,
      });
      const bytes = Buffer.from(response.body, 'latin1');
      // Node's own decoder stops at padding, as none of gRPC-Web does.
      const decoded =
        form === 'binary'
          ? bytes
          : Buffer.concat(
              (response.body.match(/[A-Za-z0-9+/]+={0,2}/g) ?? []).map((each) => Buffer.from(each, 'base64')),
            );
      return { ...response, ...parsed(decoded), type };
    };

    for (const form of ['binary', 'text'] as const) {
      it(`calls a server of gRPC: ${form}`, async () => {
        await start();
        let seen: string | undefined;
        onUnary = ({ request, metadata }, done) => {
          seen = String(metadata.get('x-grpc-web'));
          done(null, request);
        };
        const { status, headers, type, messages, trailers, broken } = await call(form, 'hello');
        expect([status, headers['content-type'], messages, broken]).to.deep.equal([200, type, ['hello'], false]);
        expect(trailers).to.match(/^grpc-status: 0\r\n/);
        expect(seen).to.equal('1');
        await until(() => rig.context.reports.length === 1, 'the access record');
        expect(rig.context.reports[0]).to.include({ status: 200, grpcStatus: 0, reason: undefined });
      });

      it(`streams from a server of gRPC: ${form}`, async () => {
        await start();
        const { messages, trailers } = await call(form, 'go', echoService.Expand.path);
        expect(messages).to.deep.equal(['one', 'two', 'three']);
        expect(trailers).to.match(/^grpc-status: 0\r\n/);
      });

      it(`passes an error of the server on: ${form}`, async () => {
        await start();
        onUnary = (_call, done) => done({ code: 5, details: 'not here' });
        const { status, headers, messages, trailers } = await call(form, 'x');
        const reported = `${headers['grpc-status'] ?? ''}${trailers}`;
        expect([status, messages]).to.deep.equal([200, []]);
        expect(reported).to.match(/5/);
      });

      it(`gets the proxy’s own refusals as statuses: ${form}`, async () => {
        await start({ name: 'users', onRequest: () => refuse('credentials-required') });
        const { status, headers, body, type } = await call(form, 'x');
        expect([status, headers['content-type'], headers['grpc-status'], body]).to.deep.equal([200, type, '16', '']);
        expect(headers['grpc-message']).to.equal('credentials are required');
      });
    }

    it('takes base64 in pieces, each with padding of its own', async () => {
      await start();
      const frame = framed('hello');
      const pieces = [frame.subarray(0, 4), frame.subarray(4, 5), frame.subarray(5)].map((each) =>
        each.toString('base64'),
      );
      const { messages } = await call('text', '', echoService.Unary.path, [...pieces.join('')].map(String));
      expect(messages).to.deep.equal(['hello']);
    });

    it('refuses what is not base64', async () => {
      await start();
      const { status, headers } = await call('text', '', echoService.Unary.path, ['AAAA!!!!']);
      expect([status, headers['grpc-status']]).to.deep.equal([200, '13']);
    });

    it('leaves other requests alone', async () => {
      await start();
      const { headers } = await send(rig, {
        method: 'POST',
        path: '/',
        headers: { 'content-type': 'text/plain' },
        body: ['x'],
      });
      expect(String(headers['content-type'])).not.to.include('grpc-web');
    });
  });
