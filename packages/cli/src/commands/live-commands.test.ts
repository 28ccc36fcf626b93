import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LiveRequest, ServicesResponse } from '@swarmgate/proxy';
import { expect } from 'chai';
import { runMain } from '../../test/run-main.ts';
import { createAdminClient } from '../admin-client.ts';
import type { CommandIo } from '../io.ts';
import { readEvents } from '../server-sent-events.ts';
import { UnreachableError } from '../unreachable-error.ts';
import { describeTop } from './top.ts';

type Numbers = ServicesResponse['total'];

function numbers(perSecond: number, errorsPercent: number, p99Ms: number | null): Numbers {
  const window = {
    requests: perSecond * 60,
    requestsPerSecond: perSecond,
    status: { '1xx': 0, '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0 },
    errorsPercent,
    p50Ms: 1.2345,
    p90Ms: 50,
    p99Ms,
    sentBytes: 0,
    receivedBytes: 0,
    retries: 2,
    reasons: {},
  };
  return { inFlight: 1, lastMinute: window, last15Minutes: window, sinceStart: window };
}

const reply: ServicesResponse = {
  revision: 'r:1',
  replicas: [{ replica: 'one', ageMs: 0, services: 'all' }],
  total: numbers(15, 1, 900),
  unmatched: numbers(0, 0, null),
  services: [
    { service: 'swarm/slow', numbers: numbers(1, 0, 2_345.6) },
    { service: 'swarm/busy', numbers: numbers(10, 1, 20) },
    { service: 'swarm/broken', numbers: numbers(4, 50, 30) },
    { service: 'swarm/idle', numbers: null },
  ],
};

const request: LiveRequest = {
  at: '2026-01-02T03:04:05.678Z',
  client: '203.0.113.9',
  protocol: 'HTTP/1.1',
  method: 'GET',
  host: 'shop.example',
  path: '/cart',
  status: 502,
  reason: 'endpoint-unreachable',
  service: 'swarm/shop',
  route: 'swarm/shop/0',
  endpoint: '10.0.0.7:80',
  durationMs: 12.3,
  upstreamMs: null,
  retries: 2,
  sentBytes: 1,
  receivedBytes: 1,
  traceId: null,
};

describe('swarmgate top and swarmgate tail', () => {
  let server: Server;
  let url: string;
  let requested: string[];
  let respond: (response: ServerResponse) => void;

  before(async () => {
    server = createServer((received, response) => {
      requested.push(received.url ?? '');
      respond(response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  beforeEach(() => {
    requested = [];
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  async function run(args: readonly string[], more: Partial<CommandIo> = {}) {
    let cleared = 0;
    const clear = () => {
      cleared += 1;
    };
    const result = await runMain(args, { SWARMGATE_URL: url }, { screen: { columns: 200, rows: 50, clear }, ...more });
    return { ...result, cleared };
  }

  const orders = [
    ['rate', ['swarm/busy', 'swarm/broken', 'swarm/slow']],
    ['errors', ['swarm/broken', 'swarm/busy', 'swarm/slow']],
    ['p99', ['swarm/slow', 'swarm/broken', 'swarm/busy']],
  ] as const;
  for (const [order, expected] of orders)
    it(`top shows services with requests, by ${order}`, () => {
      const lines = describeTop(reply, order, 10).split('\n');
      expect(lines[0]).to.equal('last minute of one');
      expect(lines.slice(3).map((line) => line.split(/\s{2,}/)[0])).to.deep.equal(expected);
    });

  it('top shows latencies with the digits that they have', () => {
    const slow = describeTop(reply, 'p99', 1).split('\n')[3];
    expect(slow?.split(/\s{2,}/)).to.deep.equal(['swarm/slow', '1.0', '0.0 %', '1.23 ms', '50 ms', '2.35 s', '1', '2']);
    expect(describeTop(reply, 'p99', 1)).to.include('2 more (--lines)');
  });

  it('top polls, all replicas with the option, and clears the screen', async () => {
    respond = (response) => response.end(JSON.stringify(reply));
    const result = await run(['top', '--count', '3', '--interval', '0.01', '--replicas']);
    expect(requested).to.deep.equal(new Array(3).fill('/v1/services?fields=numbers&replicas=all'));
    expect(result).to.include({ code: 0, cleared: 3 });
    expect(result.out).to.include('swarm/busy');
  });

  it('top gives JSON once, for programs', async () => {
    respond = (response) => response.end(JSON.stringify(reply));
    const { out, cleared } = await run(['top', '--count', '1', '--json']);
    expect(JSON.parse(out)).to.deep.equal(reply);
    expect(cleared).to.equal(0);
  });

  for (const [columns, last, name] of [
    [200, 'RETRIES', 'swarm/busier-by-far'],
    [79, 'RETRIES', 'swarm/busier-b…'],
    [40, '…', 'swarm/busie…'],
    [1, '…', '…'],
  ] as const)
    it(`top fits a terminal of ${columns} columns`, () => {
      const busiest = { service: 'swarm/busier-by-far', numbers: numbers(100, 1, 20) } as const;
      const services = [...reply.services, busiest];
      const lines = describeTop({ ...reply, services }, 'rate', 30, { columns, rows: 50 }).split('\n');
      expect(lines[1]?.endsWith(last)).to.equal(true);
      expect(lines[3]?.split(/ {2,}/)[0]).to.equal(name);
      for (const line of lines) expect(line.length).to.be.at.most(columns);
    });

  for (const [rows, shown] of [
    [50, 3],
    [7, 2],
    [6, 1],
    [2, 1],
  ] as const)
    it(`top shows ${shown} of three services on a terminal of ${rows} rows, and how many are left`, () => {
      const lines = describeTop(reply, 'rate', 30, { columns: 100, rows }).split('\n');
      expect(lines.filter((line) => line.startsWith('swarm/'))).to.have.length(shown);
      expect(lines.at(-1) === `${3 - shown} more (--lines)`).to.equal(shown < 3);
    });

  it('top names the replicas of which it has the busiest services only', () => {
    const replicas = [...reply.replicas, { replica: 'two', ageMs: 900, services: 200 }];
    expect(describeTop({ ...reply, replicas }, 'rate', 30).split('\n')[0]).to.equal(
      'last minute of one, two (its 200 busiest services)',
    );
  });

  it('top goes on where the proxy is away for a while, and says so once', async () => {
    let calls = 0;
    respond = (response) => {
      calls += 1;
      if (calls === 2 || calls === 3) response.destroy();
      else response.end(JSON.stringify(reply));
    };
    const result = await run(['top', '--count', '2', '--interval', '0.01']);
    expect(result).to.include({ code: 0, cleared: 2 });
    expect(result.error.match(/no response from/g)).to.have.length(1);
    expect(result.error).to.match(/Trying again\n$/);
    expect(calls).to.equal(4);
  });

  it('top and tail end where there was no proxy at all', async () => {
    respond = (response) => response.destroy();
    for (const command of ['top', 'tail']) {
      const result = await run([command]);
      expect(result).to.include({ code: 2, out: '' });
      expect(result.error).to.include(`no response from ${url}`);
    }
  });

  it('top and tail end with the reader of their output', async () => {
    const gone = new AbortController();
    const io = { readerGone: gone.signal, out: () => gone.abort() };
    respond = (response) => response.end(JSON.stringify(reply));
    expect(await run(['top', '--interval', '600'], io)).to.include({ code: 0, error: '' });
    const goneToo = new AbortController();
    respond = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`event: request\ndata: ${JSON.stringify(request)}\n\n`);
    };
    const tail = await run(['tail'], { readerGone: goneToo.signal, out: () => goneToo.abort() });
    expect(tail).to.include({ code: 0, error: '' });
  });

  const endings = [
    ['ends', (response: ServerResponse) => response.end()],
    ['breaks', (response: ServerResponse) => response.destroy()],
  ] as const;
  for (const [what, end] of endings)
    it(`tail follows the proxy again when its stream ${what}`, async () => {
      let calls = 0;
      respond = (response) => {
        calls += 1;
        if (calls === 2) {
          response.destroy();
          return;
        }
        if (calls === 3) {
          response.writeHead(503).end(JSON.stringify({ Status: 'NOK', Message: '16 streams are open' }));
          return;
        }
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(`event: request\ndata: ${JSON.stringify(request)}\n\n`, () => end(response));
      };
      const result = await run(['tail', '--count', '2']);
      expect(result.out.split('\n')).to.have.length(3);
      expect(result.code).to.equal(0);
      expect(result.error.split('\n').slice(0, 2)).to.deep.equal([
        `the stream of ${url} ended. Trying again; requests until then are not shown`,
        `following ${url} again`,
      ]);
      expect(calls).to.equal(4);
    });

  it('tail ends when the proxy refuses it later', async () => {
    let calls = 0;
    respond = (response) => {
      calls += 1;
      if (calls > 1) response.writeHead(401).end(JSON.stringify({ Status: 'NOK', Message: 'needs ADMIN_TOKEN' }));
      else response.writeHead(200, { 'content-type': 'text/event-stream' }).end();
    };
    const { code, error } = await run(['tail']);
    expect(code).to.equal(1);
    expect(error).to.include('refused (401): needs ADMIN_TOKEN');
  });

  it('a stream without a byte for too long is broken', async () => {
    respond = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('event: a\ndata: 1\n\n');
    };
    const client = createAdminClient({ url, env: {}, silenceMs: 50 });
    const stream = await client.events('/v1/requests');
    if (stream.kind !== 'open') throw new Error('refused');
    const events: string[] = [];
    const read = async () => {
      for await (const { data } of stream.events) events.push(data);
    };
    const error = await read().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).to.be.instanceOf(UnreachableError);
    expect(events).to.deep.equal(['1']);
  });

  it('tail shows requests as they come, and how many it does not show', async () => {
    respond = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const event = `event: request\ndata: ${JSON.stringify(request)}\n\n`;
      // In pieces, as a network cuts them.
      response.write(`: live\n\n${event.slice(0, 40)}`);
      setImmediate(() => response.write(`${event.slice(40)}event: skipped\ndata: {"count":7}\n\n${event}`));
    };
    const result = await run(['tail', '--service', 'shop', '--status', '5xx', '--min-duration', '10', '--count', '2']);
    expect(requested).to.deep.equal(['/v1/requests?service=shop&status=5xx&minDurationMs=10']);
    const line =
      '03:04:05.678  502  GET   shop.example/cart  swarm/shop  → 10.0.0.7:80  12.3 ms  endpoint-unreachable  2 retries';
    expect(result).to.deep.include({ out: `${line}\n${line}\n`, error: '7 more matched (--limit)\n', code: 0 });
  });

  it('tail gives one JSON object a line', async () => {
    respond = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(`event: request\ndata: ${JSON.stringify(request)}\n\n`);
    };
    expect(JSON.parse((await run(['tail', '--json', '--count', '1'])).out)).to.deep.equal(request);
  });

  it('tail shows why the proxy refuses', async () => {
    respond = (response) => response.writeHead(400).end(JSON.stringify({ Status: 'NOK', Message: 'status is not …' }));
    const { error, code } = await run(['tail', '--status', 'x']);
    expect(error).to.include('status is not …');
    expect(code).to.equal(1);
  });

  for (const args of [
    ['top', '--sort', 'name'],
    ['top', '--interval', '0'],
    ['tail', '--count', 'x'],
  ])
    it(`refuses ${args.join(' ')}`, async () => {
      expect((await run(args)).code).to.equal(2);
    });

  it('events are read whole, however their bytes are cut', async () => {
    const text = 'event: a\ndata: ü\n\n: comment\n\ndata: 2\n\n';
    const bytes = Buffer.from(text);
    for (let cut = 1; cut < bytes.length; cut += 1) {
      const pieces = async function* () {
        yield bytes.subarray(0, cut);
        yield bytes.subarray(cut);
      };
      const events = [];
      for await (const event of readEvents(pieces())) events.push(event);
      expect(events).to.deep.equal([
        { event: 'a', data: 'ü' },
        { event: 'message', data: '2' },
      ]);
    }
  });
});
