import { connect } from 'node:http2';
import { createServer } from 'node:net';
import type { AccessRecord } from '../../src/exchange/access-record.ts';
import type { Middleware } from '../../src/middleware/middleware.ts';
import {
  type MakeServer,
  makeCoreServer,
  makeExpressHttp2Server,
  makeExpressServer,
  makeHttp2Server,
  makeReferenceServer,
  type RigOptions,
  startRig,
} from '../server-rig.ts';
import { endpointAt } from '../test-context.ts';
import { until } from '../until.ts';

/** One request without a body, and what is to be known of its server. */
export interface SentRequest {
  /** `Name: value` each. */
  readonly fields?: readonly string[];
  /** Default `GET`. */
  readonly method?: string;
  /** Default `/`. */
  readonly target?: string;
  /** Default `shop.example`. */
  readonly host?: string;
  /** The client is a hop in `TRUSTED_PROXIES`, which are 127.0.0.0/8 and 10.0.0.0/8. */
  readonly trustedHop?: boolean;
  readonly steps?: readonly Middleware[];
  readonly server?: Partial<RigOptions>;
}

export interface SeenExchange {
  readonly status: number;
  /** Values of a field of the response, joined by a comma. */
  readonly response: (name: string) => string | undefined;
  /** The endpoint's view: method and target. Absent where it was not queried. */
  readonly requested: string | undefined;
  /** The endpoint's view: `name: value`, names in lower case, as they came. Absent where it was not queried. */
  readonly forwarded: readonly string[] | undefined;
  readonly record: AccessRecord;
}

export interface ServerUnderTest {
  readonly name: string;
  readonly exchange: (request: SentRequest) => Promise<SeenExchange>;
}

interface ReceivedResponse {
  readonly status: number;
  readonly fields: readonly (readonly [string, string])[];
}

/** Every router, over HTTP/1.1 and over HTTP/2. */
export const everyServer: readonly ServerUnderTest[] = [
  { name: 'HTTP/1.1', exchange: (request) => exchangeOver(makeCoreServer, sendHttp1, request) },
  { name: 'HTTP/2', exchange: (request) => exchangeOver(makeHttp2Server, sendHttp2, request) },
  { name: 'HTTP/1.1, express', exchange: (request) => exchangeOver(makeExpressServer, sendHttp1, request) },
  { name: 'HTTP/2 by node', exchange: (request) => exchangeOver(makeReferenceServer, sendHttp2, request) },
  { name: 'HTTP/2, express', exchange: (request) => exchangeOver(makeExpressHttp2Server, sendHttp2, request) },
];

type Send = (rig: Awaited<ReturnType<typeof startRig>>, request: SentRequest) => Promise<ReceivedResponse>;

async function exchangeOver(make: MakeServer, send: Send, request: SentRequest): Promise<SeenExchange> {
  let head: string | undefined;
  const endpoint = createServer((socket) => {
    let text = '';
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      if (!text.includes('\r\n\r\n')) return;
      head = text;
      socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok');
    });
  });
  await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve));
  const address = endpoint.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const rig = await startRig(make, {
    endpoints: [endpointAt(address.port)],
    trusted: request.trustedHop === true ? ['127.0.0.0/8', '10.0.0.0/8'] : [],
    steps: request.steps ?? [],
    ...request.server,
  });
  try {
    const { status, fields } = await send(rig, request);
    await until(() => rig.context.reports.length > 0, 'the access record');
    return {
      status,
      response: (name) =>
        fields
          .filter((field) => field[0] === name)
          .map((field) => field[1])
          .join(', ') || undefined,
      requested: head?.slice(0, head.indexOf(' HTTP/1.1\r\n')),
      forwarded: head === undefined ? undefined : linesOf(head),
      record: rig.context.reports[0] as AccessRecord,
    };
  } finally {
    await rig.stop();
    endpoint.close();
  }
}

function linesOf(head: string): string[] {
  return head
    .slice(0, head.indexOf('\r\n\r\n'))
    .split('\r\n')
    .slice(1)
    .map((line) => line.slice(0, line.indexOf(':')).toLowerCase() + line.slice(line.indexOf(':')));
}

const sendHttp1: Send = async (rig, { method = 'GET', fields = [], target = '/', host = 'shop.example' }) => {
  const client = rig.client();
  client.send(`${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n${fields.map((line) => `${line}\r\n`).join('')}\r\n`);
  const { status, headers } = await client.response();
  const pairs = headers.flatMap((name, at) =>
    at % 2 === 0 ? [[name.toLowerCase(), headers[at + 1] as string] as const] : [],
  );
  return { status, fields: pairs };
};

const sendHttp2: Send = async (rig, { method = 'GET', fields = [], target = '/', host = 'shop.example' }) => {
  const session = connect(`http://127.0.0.1:${rig.port}`);
  session.on('error', () => undefined);
  try {
    const head: Record<string, string | string[]> = {
      ':method': method,
      ':path': target,
      ':authority': host,
      ':scheme': 'http',
    };
    for (const line of fields) {
      const name = line.slice(0, line.indexOf(':')).toLowerCase();
      const value = line.slice(line.indexOf(':') + 1).trim();
      head[name] = [...(head[name] ?? []), value];
    }
    const stream = session.request(head, { endStream: true });
    return await new Promise<ReceivedResponse>((resolve, reject) => {
      let received: ReceivedResponse | undefined;
      stream.on('error', reject);
      stream.on('response', ({ ':status': status, ...rest }) => {
        const pairs = Object.entries(rest).map(([name, value]) => [name, String(value)] as const);
        received = { status: Number(status), fields: pairs };
      });
      stream.on('close', () => (received === undefined ? reject(new Error('no response')) : resolve(received)));
      stream.resume();
    });
  } finally {
    session.destroy();
  }
};
