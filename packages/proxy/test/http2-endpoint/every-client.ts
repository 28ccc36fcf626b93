import { request as httpRequest } from 'node:http';
import { connect, type OutgoingHttpHeaders } from 'node:http2';
import {
  type MakeServer,
  makeCoreServer,
  makeExpressHttp2Server,
  makeExpressServer,
  makeHttp2Server,
  type Rig,
} from '../server-rig.ts';

export interface ClientRequest {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: readonly string[];
  readonly trailers?: Record<string, string>;
}

/** `undefined` where the response broke off. */
export interface ClientResponse {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly interims: number[];
  readonly body: string;
  readonly trailers: Record<string, unknown>;
  readonly broken: boolean;
}

export interface ClientUnderTest {
  readonly name: string;
  readonly make: MakeServer;
  readonly send: (rig: Rig, request: ClientRequest) => Promise<ClientResponse>;
}

/** Both client protocols over both routers. */
export const everyClient: readonly ClientUnderTest[] = [
  { name: 'HTTP/1.1', make: makeCoreServer, send: sendHttp1 },
  { name: 'HTTP/2', make: makeHttp2Server, send: sendHttp2 },
  { name: 'HTTP/1.1, express', make: makeExpressServer, send: sendHttp1 },
  { name: 'HTTP/2, express', make: makeExpressHttp2Server, send: sendHttp2 },
];

function sendHttp1(rig: Rig, request: ClientRequest): Promise<ClientResponse> {
  const { method = 'GET', path = '/', headers = {}, body = [], trailers } = request;
  return new Promise((resolve) => {
    const reply = { status: 0, headers: {}, interims: [] as number[], body: '', trailers: {}, broken: false };
    const sent = httpRequest({
      host: '127.0.0.1',
      port: rig.port,
      method,
      path,
      agent: false,
      headers: { host: 'a.test', ...headers, ...(trailers === undefined ? {} : { 'transfer-encoding': 'chunked' }) },
    });
    const fail = () => resolve({ ...reply, broken: true });
    sent.on('information', ({ statusCode }) => reply.interims.push(statusCode));
    sent.on('error', fail);
    sent.on('response', (response) => {
      reply.status = response.statusCode ?? 0;
      reply.headers = response.headers;
      response.on('data', (chunk: Buffer) => {
        reply.body += chunk.toString('latin1');
      });
      response.on('error', fail);
      response.on('end', () => resolve({ ...reply, trailers: response.trailers }));
    });
    for (const piece of body) sent.write(piece);
    if (trailers !== undefined) sent.addTrailers(trailers);
    sent.end();
  });
}

function sendHttp2(rig: Rig, request: ClientRequest): Promise<ClientResponse> {
  const { method = 'GET', path = '/', headers = {}, body = [], trailers } = request;
  const session = connect(`http://127.0.0.1:${rig.port}`);
  session.on('error', () => undefined);
  return new Promise<ClientResponse>((resolve) => {
    const reply = { status: 0, headers: {}, interims: [] as number[], body: '', trailers: {}, broken: false };
    const head = { ':method': method, ':path': path, ':authority': 'a.test', ...headers };
    const hasBody = body.length > 0 || trailers !== undefined;
    const stream = session.request(head, { endStream: !hasBody, waitForTrailers: trailers !== undefined });
    stream.on('headers', (each) => reply.interims.push(Number(each[':status'])));
    stream.on('response', ({ ':status': status, ...rest }) => {
      reply.status = Number(status);
      reply.headers = rest;
    });
    stream.on('data', (chunk: Buffer) => {
      reply.body += chunk.toString('latin1');
    });
    stream.on('trailers', (each) => {
      reply.trailers = each;
    });
    stream.on('wantTrailers', () => stream.sendTrailers(trailers ?? {}));
    stream.on('error', () => {
      reply.broken = true;
    });
    stream.on('close', () => {
      session.destroy();
      resolve(reply);
    });
    if (!hasBody) return;
    for (const piece of body) stream.write(piece);
    stream.end();
  });
}
