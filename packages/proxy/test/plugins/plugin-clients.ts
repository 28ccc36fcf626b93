import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { until } from '../until.ts';
import type { Received, Requested } from './plugin-cases.ts';

export function sendHttp1(
  port: number,
  host: string,
  { method = 'GET', path = '/', headers = {}, body = '' }: Requested,
): Promise<Received> {
  return new Promise((resolve) => {
    const framed = body === '' ? {} : { 'content-length': String(body.length) };
    const sent = httpRequest({
      host: '127.0.0.1',
      port,
      method,
      path,
      headers: { host, ...headers, ...framed },
      agent: false,
    });
    const failed = () => resolve({ status: 0, headers: {}, body: '' });
    sent.on('error', failed);
    sent.on('response', (response) => {
      let text = '';
      response.on('data', (bytes: Buffer) => {
        text += bytes.toString('latin1');
      });
      response.on('error', failed);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
    });
    sent.end(body);
  });
}

export function sendHttp2(
  port: number,
  host: string,
  { method = 'GET', path = '/', headers = {}, body = '' }: Requested,
): Promise<Received> {
  return new Promise((resolve) => {
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    const end = (responded: Received) => {
      session.destroy();
      resolve(responded);
    };
    session.on('error', () => undefined);
    const stream = session.request(
      { ':method': method, ':path': path, ':authority': host, ...headers },
      { endStream: body === '' },
    );
    let reply: Received = { status: 0, headers: {}, body: '' };
    let text = '';
    stream.on('response', (head) => {
      reply = { status: head[':status'] ?? 0, headers: head as IncomingHttpHeaders, body: '' };
    });
    stream.on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1');
    });
    stream.on('error', () => end({ status: 0, headers: {}, body: '' }));
    stream.on('end', () => {
      if (stream.rstCode === 0) end({ ...reply, body: text });
    });
    stream.on('close', () =>
      end(stream.rstCode === 0 ? { ...reply, body: text } : { status: 0, headers: {}, body: '' }),
    );
    if (body !== '') stream.end(body);
  });
}

export async function upgrade(port: number, host: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let received = '';
  socket.on('data', (bytes) => {
    received += bytes.toString('latin1');
  });
  socket.on('error', () => undefined);
  socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n`);
  await until(
    () => received.includes('\r\n\r\n') && (received.includes('hello') || !received.includes(' 101 ')),
    'a response',
  );
  socket.destroy();
  return received;
}
