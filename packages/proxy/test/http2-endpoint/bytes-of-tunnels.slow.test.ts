import { connect } from 'node:net';
import { expect } from 'chai';
import { Flag, Frame, Setting } from '../../src/http/http2/frames.ts';
import { FrameClient } from '../frame-client.ts';
import { data, goaway, headers, plainGet, settings, windowUpdate } from '../http2-wire.ts';
import { ownConnection } from '../own-connection.ts';
import { makeCoreServer, makeHttp2Server, startRig } from '../server-rig.ts';
import { until } from '../until.ts';
import { http2At, startScriptedEndpoint } from './scripted-endpoint.ts';

const offer =
  'GET / HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

describe('a tunnel to an HTTP/2 endpoint', () => {
  it('brings what the client sent before its half-close once the window lets it through, where the endpoint takes no more streams', async () => {
    const scripted = await startScriptedEndpoint();
    scripted.greeting = settings([
      [Setting.initialWindowSize, 100],
      [Setting.enableConnectProtocol, 1],
    ]);
    const rig = await startRig(makeCoreServer, { endpoints: [http2At(scripted.port)] });
    const client = connect({ port: rig.port, host: '127.0.0.1', allowHalfOpen: true });
    client.on('error', () => undefined);
    try {
      let tunnel = 0;
      scripted.onFrame = ({ type, stream }, socket) => {
        if (type !== Frame.headers) return;
        tunnel = stream;
        socket.write(headers(stream, [[':status', '200']], Flag.endHeaders));
      };
      const received = () => scripted.frames.filter(({ type, stream }) => type === Frame.data && stream === tunnel);
      const bytes = () => Buffer.concat(received().map(({ payload }) => payload)).toString();
      let response = '';
      client.on('data', (chunk: Buffer) => {
        response += chunk.toString('latin1');
      });
      client.write(offer);
      await until(() => response.includes('\r\n\r\n'), 'the tunnel');
      client.end('x'.repeat(1_000));
      await until(() => bytes().length === 100, 'what the window allows');
      const [socket] = scripted.sockets;
      socket?.write(Buffer.concat([goaway(tunnel), data(tunnel, 'bye', true)]));
      await until(() => response.endsWith('bye'), 'the end of the endpoint');
      socket?.write(windowUpdate(tunnel, 10_000));
      await until(() => bytes().length === 1_000 || socket?.destroyed === true, 'the rest');
      expect(bytes()).to.equal('x'.repeat(1_000));
      await until(() => received().some(({ flags }) => (flags & Flag.endStream) !== 0), 'its end');
    } finally {
      client.destroy();
      await rig.stop();
      await scripted.stop();
    }
  });

  it('brings all of it to a client of HTTP/2 that takes it slowly, where both sides have ended', async () => {
    const size = 10_000;
    const scripted = await startScriptedEndpoint();
    scripted.greeting = settings([[Setting.enableConnectProtocol, 1]]);
    scripted.onFrame = ({ type, stream, flags }, socket) => {
      if (type === Frame.headers) socket.write(headers(stream, [[':status', '200']], Flag.endHeaders));
      if (type === Frame.data && (flags & Flag.endStream) !== 0) socket.write(data(stream, 'a'.repeat(size), true));
    };
    const endpoints = [http2At(scripted.port)];
    const rig = await startRig(makeHttp2Server, { endpoints, timeouts: { keepAliveMs: 300, clientMs: 1_200 } });
    const client = new FrameClient(rig.port);
    try {
      const connectWebSocket = [
        [':method', 'CONNECT'],
        [':protocol', 'websocket'],
        ...plainGet.filter(([name]) => name !== ':method'),
        ['sec-websocket-version', '13'],
      ] as const;
      client.send(settings([[Setting.initialWindowSize, 1_000]]), headers(1, connectWebSocket, Flag.endHeaders));
      await until(() => client.frames.some(({ type }) => type === Frame.headers), 'the tunnel');
      client.send(data(1, 'bye', true));
      const got = () => client.frames.reduce((sum, { type, payload }) => sum + (type === 0 ? payload.length : 0), 0);
      const isCut = () => client.frames.some(({ type }) => type === Frame.rstStream);
      for (let taken = 1_000; taken < size && !isCut(); taken += 1_000) {
        await until(() => got() === taken || isCut(), 'a part');
        const idle = new FrameClient(rig.port);
        await until(() => idle.ended, 'an idle connection to end');
        client.send(windowUpdate(1, 1_000));
      }
      await until(() => got() === size || isCut(), 'all of it');
      expect(got()).to.equal(size);
    } finally {
      client.destroy();
      await rig.stop();
      await scripted.stop();
    }
  });

  it('reads on into another buffer while a slow client has yet to take what came', async () => {
    const scripted = await startScriptedEndpoint();
    scripted.greeting = settings([[Setting.enableConnectProtocol, 1]]);
    let tunnel = 0;
    scripted.onFrame = ({ type, stream }, socket) => {
      if (type !== Frame.headers) return;
      tunnel = stream;
      socket.write(headers(stream, [[':status', '200']], Flag.endHeaders));
    };
    const rig = await startRig(makeCoreServer, { endpoints: [http2At(scripted.port)] });
    const { port, socket, close } = await ownConnection(rig);
    const client = connect({ port, host: '127.0.0.1' });
    client.on('error', () => undefined);
    try {
      let response = '';
      client.on('data', (chunk: Buffer) => {
        response += chunk.toString('latin1');
      });
      client.write(offer);
      await until(() => response.includes('\r\n\r\n'), 'the tunnel');
      const held: Buffer[] = [];
      // As where the client and the system's buffers are full.
      Object.assign(socket(), { _write: (chunk: Buffer) => held.push(chunk) });
      const [endpoint] = scripted.sockets;
      endpoint?.write(data(tunnel, 'a'.repeat(1_000)));
      await until(() => held.length === 1, 'what came first');
      endpoint?.write(data(tunnel, 'b'.repeat(1_000)));
      await until(() => socket().writableLength === 2_000, 'what came then');
      expect(held[0]?.toString()).to.equal('a'.repeat(1_000));
    } finally {
      client.destroy();
      close();
      await rig.stop();
      await scripted.stop();
    }
  });
});
