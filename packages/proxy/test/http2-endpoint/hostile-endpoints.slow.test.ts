import { expect } from 'chai';
import { Flag, Frame, Setting } from '../../src/http/http2/frames.ts';
import { data, headers, settings, uint32, windowUpdate } from '../http2-wire.ts';
import { makeHttp2Server, type Rig, startRig } from '../server-rig.ts';
import { type ClientRequest, everyClient } from './every-client.ts';
import { http2At, type ScriptedEndpoint, startScriptedEndpoint } from './scripted-endpoint.ts';

const [, client] = everyClient;
const send = (rig: Rig, request: ClientRequest = {}) => (client as (typeof everyClient)[number]).send(rig, request);
const responded = (stream: number) => headers(stream, [[':status', '204']]);

describe('connections to hostile HTTP/2 endpoints', () => {
  let scripted: ScriptedEndpoint;
  let rig: Rig;
  beforeEach(async () => {
    scripted = await startScriptedEndpoint();
  });
  afterEach(async () => {
    await rig.stop();
    await scripted.stop();
  });
  const start = async () => {
    rig = await startRig(makeHttp2Server, { endpoints: [http2At(scripted.port)] });
  };
  const violations: readonly (readonly [string, (stream: number) => Buffer, readonly [number, string]])[] = [
    [
      'an unknown frame type in an oversized frame',
      () => Buffer.from([1, 0, 0, 99, 0, 0, 0, 0, 0]),
      [502, 'endpoint-answer-invalid'],
    ],
    ['a response without a status', (stream) => headers(stream, [['a', 'b']]), [502, 'endpoint-answer-invalid']],
    ['101', (stream) => headers(stream, [[':status', '101']]), [502, 'endpoint-answer-invalid']],
    [
      'an upper-case name',
      (stream) =>
        headers(stream, [
          [':status', '200'],
          ['Aa', 'b'],
        ]),
      [502, 'endpoint-answer-invalid'],
    ],
    [
      'a line break in a value',
      (stream) =>
        headers(stream, [
          [':status', '200'],
          ['a', 'b\r\nc: d'],
        ]),
      [502, 'endpoint-answer-invalid'],
    ],
    [
      'transfer-encoding',
      (stream) =>
        headers(stream, [
          [':status', '200'],
          ['transfer-encoding', 'chunked'],
        ]),
      [502, 'endpoint-answer-invalid'],
    ],
    [
      'two lengths',
      (stream) =>
        headers(stream, [
          [':status', '200'],
          ['content-length', '1'],
          ['content-length', '1'],
        ]),
      [502, 'endpoint-answer-invalid'],
    ],
    [
      'a head over 64 KB',
      (stream) =>
        headers(stream, [
          [':status', '200'],
          ...Array.from({ length: 20 }, (_, at) => [`x-${at}`, 'v'.repeat(700)] as const),
          ...Array.from({ length: 231 }, (_, at) => [`y-${at}`, 'v'] as const),
        ]),
      [502, 'endpoint-answer-invalid'],
    ],
    ['DATA before the head', (stream) => data(stream, 'x', true), [502, 'endpoint-answer-invalid']],
    [
      'a push',
      (stream) => Buffer.concat([Buffer.from([0, 0, 4, 5, 4, 0, 0, 0, stream]), uint32(2)]),
      [502, 'endpoint-answer-invalid'],
    ],
    ['a window over 2^31', () => windowUpdate(0, 0x7fff_ffff), [502, 'endpoint-answer-invalid']],
    [
      'a broken field block',
      (stream) => headers(stream, Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff])),
      [502, 'endpoint-answer-invalid'],
    ],
    [
      'a flood of PING',
      () =>
        Buffer.concat(
          Array.from({ length: 3_000 }, () => Buffer.from([0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8])),
        ),
      [502, 'endpoint-answer-invalid'],
    ],
    [
      'a flood of SETTINGS',
      () => Buffer.concat(Array.from({ length: 3_000 }, () => settings())),
      [502, 'endpoint-answer-invalid'],
    ],
    [
      'a flood of 1xx',
      (stream) =>
        Buffer.concat(Array.from({ length: 3_000 }, () => headers(stream, [[':status', '103']], Flag.endHeaders))),
      [502, 'endpoint-answer-invalid'],
    ],
    [
      'a flood of CONTINUATION',
      (stream) =>
        Buffer.concat([
          headers(stream, [[':status', '200']], 0),
          ...Array.from({ length: 100 }, () => Buffer.from([0, 0, 0, 9, 0, 0, 0, 0, stream])),
        ]),
      [502, 'endpoint-answer-invalid'],
    ],
    [
      'more DATA than the window',
      (stream) =>
        Buffer.concat([
          headers(stream, [[':status', '200']], Flag.endHeaders),
          ...Array.from({ length: 40 }, () => data(stream, Buffer.alloc(16_384))),
        ]),
      [200, ''],
    ],
    [
      'a body longer than its length',
      (stream) =>
        Buffer.concat([
          headers(
            stream,
            [
              [':status', '200'],
              ['content-length', '1'],
            ],
            Flag.endHeaders,
          ),
          data(stream, 'xx', true),
        ]),
      [200, ''],
    ],
  ];
  for (const [name, bytes, [status, cause]] of violations)
    it(`end the request that they break, and serve the next: ${name}`, async () => {
      let violated = 0;
      scripted.onFrame = ({ type, stream }, socket) => {
        if (type !== Frame.headers) return;
        if (violated++ === 0) socket.write(bytes(stream));
        else socket.write(responded(stream));
      };
      await start();
      const first = await send(rig, { method: 'POST', body: ['x'] });
      expect([first.status, first.headers['x-swarmgate-reason'] ?? '']).to.deep.equal([status, cause]);
      if (status === 200) expect(first.broken).to.equal(true);
      expect((await send(rig)).status).to.equal(204);
    });

  it('fail in time where an endpoint allows no stream at all, without a connection after the other', async () => {
    scripted.greeting = settings([[Setting.maxConcurrentStreams, 0]]);
    await start();
    const { status, headers: fields } = await send(rig, { method: 'POST', body: ['call'] });
    expect([status, fields['x-swarmgate-reason']]).to.deep.equal([502, 'endpoint-unreachable']);
    expect(scripted.connections).to.be.lessThan(4);
  });
});
