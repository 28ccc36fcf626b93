import { expect } from 'chai';
import { Registry } from 'prom-client';
import type { AccessRecord } from '../../src/exchange/access-record.ts';
import { ExchangeMetrics } from '../../src/exchange/exchange-metrics.ts';
import { freePort } from '../free-ports.ts';
import type { ReceivedResponse } from '../raw-client.ts';
import { type ReceivedRequest, type ScriptedBackend, startBackend } from '../scripted-backend.ts';
import { type MakeServer, type Rig, startRig } from '../server-rig.ts';
import { endpointAt } from '../test-context.ts';
import { until } from '../until.ts';
import {
  type CaseEndpoint,
  type ClientAct,
  okBytes,
  type SeenRecord,
  type SeenRequest,
  type SeenResponse,
  type StructuredRequest,
  type ViewCase,
} from './view-case.ts';

/** How a protocol's client plays a case and what it sees of it: one for each protocol. */
export interface CaseClient {
  readonly protocol: AccessRecord['protocol'];
  plays(each: ViewCase): boolean;
  /** @param requests how many the endpoints have, whole or not */
  play(each: ViewCase, rig: Rig, requests: () => number): Promise<ClientView>;
  /** The case's expectations, which are written for HTTP/1.1, for this protocol. */
  expects(each: ViewCase): ViewCase;
  /** The same for what an endpoint saw, where it cannot be distinguished from what was expected. */
  seesAtEndpoint(request: SeenRequest): SeenRequest;
}

export interface ClientView {
  readonly responses: readonly SeenResponse[];
  readonly behind: string;
  readonly connection: ViewCase['client']['connection'];
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

/** Plays one case over real sockets and compares what client, endpoints and operator see with what it expects. */
export async function runCase(written: ViewCase, makeServer: MakeServer, client: CaseClient): Promise<void> {
  const each = client.expects(written);
  const arrived: ReceivedRequest[] = [];
  const scripts = each.endpoints ?? [{ replies: [okBytes] }];
  const backends = await Promise.all(scripts.map((script) => start(script, arrived)));
  const endpoints = backends.map(({ port }) => endpointAt(port));
  const rig = await startRig(makeServer, {
    endpoints,
    ...(each.routed === false ? { routeOf: () => undefined } : {}),
    ...(each.trustedHop === true ? { trusted: ['127.0.0.1'] } : {}),
    ...(each.steps === undefined ? {} : { steps: each.steps }),
    ...(each.mostBodyBytes === undefined ? {} : { mostBodyBytes: each.mostBodyBytes }),
    timeouts: { serverMs: each.serverMs ?? 5_000, headMs: each.headMs ?? 5_000 },
  });
  try {
    const seen = await client.play(written, rig, () => arrived.length);
    await until(() => rig.context.reports.length >= each.records.length, 'the access records');
    await until(() => rig.context.outstanding === 0, 'every pick to be finished');
    expect(seen.responses, 'the client').to.deep.equal(each.client.responses.map(withDefaults));
    expect(seen.behind, 'the client, behind the responses').to.equal(each.client.behind ?? '');
    expect(seen.connection, 'the client’s connection').to.equal(each.client.connection);
    expect(
      arrived.map((request) => client.seesAtEndpoint(requestOf(request))),
      'the endpoints',
    ).to.deep.equal(each.endpoint.map(requestWithDefaults));
    const strays = backends.map(({ backend }) => backend?.strayBytes ?? 0);
    expect(strays, 'stray bytes').to.deep.equal(strays.map(() => 0));
    const ids = endpoints.map(({ id }) => id);
    const records = rig.context.reports;
    expect(
      records.map((one, at) => recordOf(one, ids, each.records[at])),
      'the access record',
    ).to.deep.equal(each.records.map((one) => expectedRecord(one, seen, each)));
    expect(rig.context.outcomes, 'what is known of the endpoints').to.deep.equal(each.outcomes);
    await expectMetrics(records, each.records);
  } finally {
    await rig.stop();
    await Promise.all(backends.map(({ backend }) => backend?.stop()));
  }
}

interface StartedEndpoint {
  readonly port: number;
  readonly backend?: ScriptedBackend;
}

async function start(script: CaseEndpoint, arrived: ReceivedRequest[]): Promise<StartedEndpoint> {
  if (script === 'refuses') return { port: await freePort() };
  const backend = await startBackend();
  const { replies = [], on = 'request', afterMs = 0, afterwards = 'keep' } = script;
  let count = 0;
  const act = (request: ReceivedRequest) => {
    const text = replies[Math.min(count++, replies.length - 1)];
    const { socket } = request;
    setTimeout(() => {
      if (text !== undefined) socket.write(text, 'latin1');
      if (afterwards === 'end') socket.end();
      if (afterwards === 'reset') setImmediate(() => socket.resetAndDestroy());
    }, afterMs);
  };
  backend.onHead = (request) => {
    arrived.push(request);
    if (on === 'head') act(request);
  };
  backend.onRequest = on === 'request' ? act : () => undefined;
  return { port: backend.port, backend };
}

/** Plays cases in HTTP/1.x. */
export const http1Client: CaseClient = {
  protocol: 'HTTP/1.1',
  plays: () => true,
  expects: (each) => each,
  seesAtEndpoint: (request) => request,
  async play(each, rig, requests) {
    const client = rig.client();
    let sent = '';
    let received = '';
    client.socket.on('data', (bytes: Buffer) => {
      received += bytes.toString('latin1');
    });
    let left = false;
    for (const act of each.does) {
      if (typeof act === 'object' && 'until' in act) await until(() => received.includes(act.until), act.until);
      else if (typeof act === 'object' && 'endpointHas' in act)
        await until(() => requests() >= act.endpointHas, 'the request at the endpoint');
      else if (typeof act === 'object' && 'leave' in act) {
        left = true;
        client.destroy();
      } else {
        const bytes = typeof act === 'string' ? act : 'sends' in act ? act.sends : bytesOf(act);
        sent += bytes;
        client.send(bytes);
      }
    }
    const methods = methodsOf(each.does);
    const responses: SeenResponse[] = [];
    for (let final = 0; responses.length < each.client.responses.length; ) {
      const response = await client.response(methods[final]);
      if (response.status >= 200) final++;
      responses.push(responseOf(response));
    }
    const closes = each.client.connection !== 'open' && !left;
    if (closes) await until(() => client.over, 'the end of the connection');
    if (each.client.connection === 'reset') await until(() => client.closed, 'the reset');
    const behind = client.received;
    // Nothing announces that a connection stays open, but one that is closed says so at once.
    if (!closes && !left) await new Promise((resolve) => setTimeout(resolve, 5));
    const connection = left ? 'left' : client.error !== undefined ? 'reset' : client.over ? 'closed' : 'open';
    return { responses, behind, connection, sentBytes: sent.length, receivedBytes: received.length };
  },
};

function bytesOf({ method, target, host, fields, body, contentLength, unsized, trailers }: StructuredRequest): string {
  const length = contentLength ?? body?.length;
  const lines = [`${method} ${target} HTTP/1.1`, `Host: ${host ?? 'shop.example'}`, ...(fields ?? [])];
  if (unsized === true) {
    const chunk = body === undefined ? '' : `${body.length.toString(16)}\r\n${body}\r\n`;
    const end = ['0', ...(trailers ?? []), '', ''].join('\r\n');
    return `${[...lines, 'Transfer-Encoding: chunked', '', ''].join('\r\n')}${chunk}${end}`;
  }
  if (length !== undefined) lines.push(`Content-Length: ${length}`);
  return `${[...lines, '', ''].join('\r\n')}${body ?? ''}`;
}

function methodsOf(acts: readonly ClientAct[]): string[] {
  const methods: string[] = [];
  for (const act of acts) {
    if (typeof act === 'string') {
      for (const [, method = ''] of act.matchAll(/^([A-Za-z]+) \S+ HTTP\/1\.[01]\r$/gm)) methods.push(method);
    } else if ('method' in act) methods.push(act.method);
  }
  return methods;
}

const linesOf = (flat: readonly string[]) =>
  flat.flatMap((name, at) => (at % 2 === 0 ? [`${name}: ${flat[at + 1]}`.trim()] : []));

function responseOf({ status, reason, headers, body, trailers }: ReceivedResponse): SeenResponse {
  return {
    status,
    reason,
    fields: linesOf(headers).map((line) => (line.startsWith('Date: ') ? 'Date: *' : line)),
    body,
    trailers: trailers.split('\r\n').filter((line) => line !== ''),
  };
}

const reasons: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  413: 'Payload Too Large',
  417: 'Expectation Failed',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
  508: 'Loop Detected',
};

function withDefaults(response: SeenResponse): SeenResponse {
  return { body: '', trailers: [], reason: reasons[response.status] ?? '', ...response };
}

function requestOf(request: ReceivedRequest): SeenRequest {
  const { method, target, version, headers, body, trailers, whole } = request;
  return {
    line: `${method} ${target} ${version}`,
    fields: linesOf(headers).map((line) => line.replace(/^X-Request-Id: id-\d+$/, 'X-Request-Id: new')),
    body,
    trailers: trailers.split('\r\n').filter((line) => line !== ''),
    whole,
  };
}

function requestWithDefaults(request: SeenRequest): SeenRequest {
  return { body: '', trailers: [], whole: true, ...request };
}

function recordOf(one: AccessRecord, ids: readonly string[], expected: SeenRecord | undefined): object {
  const { route, endpoint, durationMs, upstreamMs, attemptAfterMs, failedAttempts = [], sentBodyBytes, ...rest } = one;
  const most = typeof expected?.upstreamMs === 'number' ? expected.upstreamMs : undefined;
  const isWithin = upstreamMs !== undefined && (most === undefined || upstreamMs <= most);
  expect(durationMs, 'the duration').to.be.within(upstreamMs ?? 0, 10_000);
  expect(sentBodyBytes, 'the bytes of the body').to.be.within(0, one.sentBytes);
  expect(attemptAfterMs, 'when the last attempt began').to.be.within(0, durationMs);
  return {
    ...rest,
    failed: failedAttempts.map((each) => [ids.indexOf(each.endpoint.id), each.failure]),
    service: route?.key,
    endpoint: endpoint === undefined ? undefined : ids.indexOf(endpoint.id),
    upstreamMs: most === undefined ? upstreamMs !== undefined : isWithin ? most : upstreamMs,
  };
}

function expectedRecord(one: SeenRecord, seen: ClientView, each: ViewCase): object {
  if (each.records.length > 1 && (one.sentBytes === 'all' || one.receivedBytes === 'all'))
    throw new Error('bytes of several exchanges on one connection are given by number');
  return {
    ...one,
    sentBytes: one.sentBytes === 'all' ? seen.receivedBytes : one.sentBytes,
    receivedBytes: one.receivedBytes === 'all' ? seen.sentBytes : one.receivedBytes,
  };
}

/** What Prometheus reads is what the expected records say, summed by hand here. */
async function expectMetrics(records: readonly AccessRecord[], expected: readonly SeenRecord[]): Promise<void> {
  const registry = new Registry();
  const metrics = new ExchangeMetrics(registry, () => true);
  for (const each of records) metrics.observe(each);
  const sums = new Map<string, number>();
  const add = (name: string, value: number) => sums.set(name, (sums.get(name) ?? 0) + value);
  expected.forEach((one, at) => {
    const labels = `service="${one.service ?? ''}",status="${Math.floor(one.status / 100)}xx"`;
    add(`swarmgate_requests_total{${labels}}`, 1);
    add(`swarmgate_retries_total{${labels}}`, one.retries);
    add(`swarmgate_sent_bytes_total{${labels}}`, records[at]?.sentBytes ?? 0);
    add(`swarmgate_received_bytes_total{${labels}}`, records[at]?.receivedBytes ?? 0);
    if (one.reason !== undefined) add(`swarmgate_own_answers_total{reason="${one.reason}"}`, 1);
    if (one.cause !== undefined) add(`swarmgate_refused_heads_total{cause="${one.cause}"}`, 1);
    const series = `service="${one.service ?? ''}",entrypoint="80",protocol="${one.protocol}"`;
    // A tunnel lasts until its client ends it.
    if (one.status !== 101) add(`swarmgate_request_duration_seconds_count{${series}}`, 1);
    add('swarmgate_upstream_head_seconds_count', one.upstreamMs === false ? 0 : 1);
  });
  const text = await registry.metrics();
  const read = new Map<string, number>();
  for (const line of text.split('\n')) {
    const match = /^(\S+) (\S+)$/.exec(line);
    if (match === null || line.startsWith('#') || /_bucket|_sum/.test(line)) continue;
    read.set(match[1] as string, Number(match[2]));
  }
  expect(Object.fromEntries([...read].sort()), 'the metrics').to.deep.equal(Object.fromEntries([...sums].sort()));
}
