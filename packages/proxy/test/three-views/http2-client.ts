import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { until } from '../until.ts';
import type { CaseClient, ClientView } from './run-case.ts';
import type { ClientAct, SeenRequest, SeenResponse, StructuredRequest, ViewCase } from './view-case.ts';

/** Fields of one connection of HTTP/1.1, which HTTP/2 has not (RFC 9113, section 8.2.2). */
const connectionFields = /^(connection|keep-alive|transfer-encoding): /;

interface Response {
  readonly stream: ClientHttp2Stream;
  readonly method: string;
  readonly heads: SeenResponse[];
  body: string;
  trailers: string[];
  bytes: number;
  over: boolean;
  reset: boolean;
}

/** Plays cases in HTTP/2 with Node's client. Runs those that consist of structured requests. */
export const http2Client: CaseClient = {
  protocol: 'HTTP/2',

  plays: ({ does }) => does.every((act) => typeof act === 'object' && !('until' in act)),

  async play(each, rig, requests) {
    const session = connect(`http://127.0.0.1:${rig.port}`);
    session.on('error', () => undefined);
    const sent: { bytes: number } = { bytes: 0 };
    const responses: Response[] = [];
    let left = false;
    try {
      for (const act of each.does) {
        if (isRequest(act)) responses.push(send(session, act, sent));
        else if (typeof act === 'object' && 'sends' in act) {
          sent.bytes += act.sends.length;
          const stream = responses.at(-1)?.stream;
          if (act.more === true) stream?.write(act.sends, 'latin1');
          else stream?.end(act.sends, 'latin1');
        } else if (typeof act === 'object' && 'endpointHas' in act)
          await until(() => requests() >= act.endpointHas, 'the request at the endpoint');
        else {
          left = true;
          session.destroy();
        }
      }
      if (!left) await until(() => responses.every(({ over }) => over), 'the end of every stream');
      return viewOf(responses, left, session.closed || session.destroyed, sent.bytes);
    } finally {
      session.destroy();
    }
  },

  expects: (each) => ({
    ...each,
    client: {
      responses: [...each.client.responses, ...brokenOff(each)].map((response) => ({
        ...response,
        // HTTP/2 has no reason phrase (RFC 9113, section 8.3.2).
        reason: '',
        fields: response.fields.map(lowerName).filter((line) => !connectionFields.test(line)),
        trailers: (response.trailers ?? []).map(lowerName),
      })),
      // What ends a connection of HTTP/1.1 ends one stream; 'reset' is that of the stream.
      connection: each.client.connection === 'closed' ? 'open' : each.client.connection,
    },
    endpoint: each.endpoint.map((request) => withLowerNames({ ...request, fields: request.fields.map(via) })),
    records: each.records.map((record) => ({ ...record, protocol: 'HTTP/2' })),
  }),

  seesAtEndpoint: withLowerNames,
};

const isRequest = (act: ClientAct): act is StructuredRequest => typeof act === 'object' && 'method' in act;

/** Names of fields are in lower case (RFC 9113, section 8.2.1). */
function lowerName(line: string): string {
  const colon = line.indexOf(':');
  return line.slice(0, colon).toLowerCase() + line.slice(colon);
}

function withLowerNames(request: SeenRequest): SeenRequest {
  return { ...request, fields: request.fields.map(lowerName), trailers: (request.trailers ?? []).map(lowerName) };
}

const via = (line: string) => line.replace('1.1 swarmgate-test', '2.0 swarmgate-test');

/** A response that broke off: what stands as bytes for HTTP/1.1. */
function brokenOff({ client }: ViewCase): SeenResponse[] {
  const end = client.behind?.indexOf('\r\n\r\n') ?? -1;
  if (client.behind === undefined || end === -1) return [];
  const [line = '', ...fields] = client.behind.slice(0, end).split('\r\n');
  return [{ status: Number(line.slice(9, 12)), fields, body: client.behind.slice(end + 4) }];
}

/** Counted as the record does: the fields with a colon and a blank or a line end each, before compression. */
const bytesOf = (flat: readonly string[]) => flat.reduce((sum, text) => sum + text.length + 2, 0);

function send(session: ClientHttp2Session, request: StructuredRequest, sent: { bytes: number }): Response {
  const { method, target, host = 'shop.example', fields = [], body, unsized, trailers } = request;
  const length = request.contentLength ?? body?.length;
  const flat = fields.flatMap((line) => [
    line.slice(0, line.indexOf(':')).toLowerCase(),
    line.slice(line.indexOf(':') + 1).trim(),
  ]);
  if (length !== undefined && unsized !== true) flat.push('content-length', String(length));
  const head: OutgoingHttpHeaders = { ':method': method, ':path': target, ':authority': host, ':scheme': 'http' };
  for (let at = 0; at < flat.length; at += 2) {
    const [name, value] = [flat[at] as string, flat[at + 1] as string];
    const known = head[name];
    head[name] = known === undefined ? value : [...(Array.isArray(known) ? known : [String(known)]), value];
  }
  sent.bytes += method.length + target.length + host.length + bytesOf(flat) + (body?.length ?? 0);
  const stream = session.request(head, {
    endStream: length === undefined && unsized !== true,
    waitForTrailers: trailers !== undefined,
  });
  const response: Response = { stream, method, heads: [], body: '', trailers: [], bytes: 0, over: false, reset: false };
  const onHead = (_head: unknown, _flags: number, raw: string[]) => {
    const [, status = '', ...rest] = raw;
    response.bytes += bytesOf(rest);
    response.heads.push({ status: Number(status), fields: linesOf(rest) });
  };
  stream.on('headers', onHead as never);
  stream.on('response', onHead as never);
  stream.on('trailers', ((_head: unknown, _flags: number, raw: string[]) => {
    response.bytes += bytesOf(raw);
    response.trailers = linesOf(raw);
  }) as never);
  stream.on('wantTrailers', () =>
    stream.sendTrailers(Object.fromEntries((trailers ?? []).map((line) => line.toLowerCase().split(': ')))),
  );
  stream.on('data', (bytes: Buffer) => {
    response.bytes += bytes.length;
    response.body += bytes.toString('latin1');
  });
  stream.on('error', () => undefined);
  stream.on('close', () => {
    response.reset = stream.rstCode !== constants.NGHTTP2_NO_ERROR;
    response.over = true;
  });
  if (request.contentLength !== undefined) stream.write(body ?? '', 'latin1');
  else if (length !== undefined || unsized === true) stream.end(body ?? '', 'latin1');
  return response;
}

function linesOf(flat: readonly string[]): string[] {
  return flat.flatMap((name, at) => (at % 2 === 0 ? [name === 'date' ? 'date: *' : `${name}: ${flat[at + 1]}`] : []));
}

function viewOf(responses: readonly Response[], left: boolean, closed: boolean, sentBytes: number): ClientView {
  return {
    responses: responses.flatMap(({ heads, body, trailers }) =>
      heads.map((head, at) => ({
        ...head,
        reason: '',
        body: at === heads.length - 1 ? body : '',
        trailers: at === heads.length - 1 ? trailers : [],
      })),
    ),
    behind: '',
    connection: left ? 'left' : closed ? 'closed' : responses.some(({ reset }) => reset) ? 'reset' : 'open',
    sentBytes,
    receivedBytes: responses.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}
