import { once } from 'node:events';
import { createServer, get as httpGet, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { silentLogger, Tasks } from '@swarmgate/runtime';
import { expect } from 'chai';
import express from 'express';
import { eventually, type ProxyUnderTest, startProxyUnderTest } from '../../../test/running-proxy.ts';
import { streamParts } from '../../../test/stream-parts.ts';
import { ItemVersions } from '../live/item-versions.ts';
import { mergeProblemsInSteps } from './collect-problems.ts';
import { eventRoutes } from './event-routes.ts';
import { LongResponses } from './long-responses.ts';
import { StateFeed, type StateFeedOptions } from './state-feed.ts';

type State = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

interface Stream {
  readonly status: number;
  readonly type: string | undefined;
  text(): string;
  /** What all events so far come to. */
  state(): State;
  /** Of the last event that had one. */
  id(): string;
  isOver(): boolean;
  close(): void;
}

const open: Stream[] = [];

function stream(port: number, query = '', headers: Readonly<Record<string, string>> = {}): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const sent = httpGet({ host: '127.0.0.1', port, path: `/v1/events${query}`, agent: false, headers }, (response) => {
      let text = '';
      let over = false;
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
      });
      response.on('error', () => undefined);
      response.on('close', () => {
        over = true;
      });
      const found: Stream = {
        status: response.statusCode ?? 0,
        type: response.headers['content-type'],
        text: () => text,
        state: () => stateOf(text),
        id: () => [...text.matchAll(/^id: (.*)$/gm)].at(-1)?.[1] ?? '',
        isOver: () => over,
        close: () => sent.destroy(),
      };
      open.push(found);
      resolve(found);
    });
    sent.once('error', reject);
  });
}

function stateOf(text: string): State {
  let state: Record<string, Record<string, unknown>> = {};
  for (const [, event, data = ''] of text.matchAll(/^event: (\w+)\n(?:id: .*\n)?data: (.*)\n\n/gm)) {
    if (event === 'reset') state = {};
    if (event !== 'changes') continue;
    for (const [kind, items] of Object.entries(JSON.parse(data) as Record<string, Record<string, unknown>>))
      for (const [name, value] of Object.entries(items)) {
        state[kind] ??= {};
        if (value === null) delete state[kind][name];
        else state[kind][name] = value;
      }
  }
  return state;
}

const isCurrent = (of: Stream) => of.id() !== '';

describe('GET /v1/events', () => {
  let under: ProxyUnderTest;
  let port: number;
  before(async () => {
    under = await startProxyUnderTest({ replica: 'one' });
    await eventually('the proxy is ready', () => under.proxy.ready());
    ({ port } = under.proxy.admin);
    await publish('shop');
    await publish('blog');
  });
  afterEach(() => {
    for (const each of open.splice(0)) each.close();
  });
  after(() => under.stop());

  const publish = async (name: string, path = `/${name}`) => {
    const call = `/v1/docker-flow-proxy/reconfigure?serviceName=${name}&servicePath=${path}&port=1&outboundHostname=127.0.0.1`;
    expect((await under.call('GET', call)).status).to.equal(200);
  };
  const remove = (name: string) => under.call('GET', `/v1/docker-flow-proxy/remove?serviceName=${name}`);

  it('sends the whole state, then what changes, and that alone', async () => {
    const events = await stream(port);
    expect([events.status, events.type]).to.deep.equal([200, 'text/event-stream']);
    await eventually('all is there', () => isCurrent(events));
    expect(Object.keys(events.state().services ?? {}).sort()).to.deep.equal(['manual/blog', 'manual/shop']);
    expect(events.state().status?.['']).to.include({ replica: 'one', services: 2 });
    const before = events.text().length;
    await publish('api');
    await eventually('the change arrives', () => events.state().services?.['manual/api'] !== undefined);
    const since = events.text().slice(before);
    expect(since).to.include('/api').and.to.not.include('/shop');
    await remove('api');
    await eventually('it goes again', () => events.state().services?.['manual/api'] === undefined);
  });

  it('shows problems, and figures once there is traffic', async () => {
    const events = await stream(port, '?replicas=all');
    await publish('rival', '/shop');
    await eventually('its problem is there', () => events.state().problems?.['manual/rival'] !== undefined);
    await fetch(`http://127.0.0.1:${under.proxy.entrypoints()[0]?.port}/shop`);
    await eventually('the request is counted', () => events.state().numbers?.['manual/shop'] !== undefined);
    expect(events.state().numbers?.['manual/shop']).to.include({ errorsPercent: 100 });
    expect(events.state().totals?.['']).to.include({ errorsPercent: 100 });
    await remove('rival');
    await eventually('the problem goes with it', () => events.state().problems?.['manual/rival'] === undefined);
  });

  for (const [title, late, resume] of [
    ['Last-Event-ID', 'late', (id: string) => stream(port, '', { 'Last-Event-ID': id })],
    ['after', 'later', (id: string) => stream(port, `?after=${id}`)],
  ] as const)
    it(`goes on where the client was, by ${title}`, async () => {
      const first = await stream(port);
      await eventually('all is there', () => isCurrent(first));
      first.close();
      await publish(late);
      const second = await resume(first.id());
      await eventually('the change arrives', () => second.state().services?.[`manual/${late}`] !== undefined);
      expect(second.text()).to.not.include('event: reset');
      expect(second.text()).to.not.include('/blog');
      await remove(late);
    });

  it('sends all again to a client of another process', async () => {
    const events = await stream(port, '', { 'Last-Event-ID': '00ff00ff00ff-12' });
    await eventually('all is there', () => isCurrent(events));
    expect(events.text()).to.include('event: reset');
    expect(Object.keys(events.state().services ?? {})).to.include('manual/shop');
  });

  it('has one service in full where that is named, and no other', async () => {
    const shop = await stream(port, '?service=manual/shop');
    const entry = under.proxy.entrypoints()[0]?.port;
    const details = () => shop.state().details?.['manual/shop'] as { numbers?: { inFlight: number } } | undefined;
    await eventually('it is there', () => shop.state().documents?.['manual/shop'] !== undefined);
    expect(shop.state().documents?.['manual/shop']).to.have.nested.property('definition.source.kind', 'rest');
    await fetch(`http://127.0.0.1:${entry}/shop`);
    await eventually('the request is counted', () => details()?.numbers?.inFlight === 0);
    // One that goes on with another service holds nothing of that, however old its items are.
    const blog = await stream(port, '?service=manual/blog');
    await eventually('it is there', () => blog.state().documents?.['manual/blog'] !== undefined);
    expect(Object.keys(shop.state().documents ?? {})).to.deep.equal(['manual/shop']);
    await eventually('nothing is newer', () => isCurrent(shop) && isCurrent(blog));
    const next = await stream(port, `?service=manual/blog&after=${shop.id()}`);
    await eventually('it is there', () => next.state().documents?.['manual/blog'] !== undefined);
    expect(next.text()).to.not.include('event: reset');
    await publish('blog', '/other');
    await eventually('the change arrives', () =>
      JSON.stringify(next.state().documents?.['manual/blog']).includes('/other'),
    );
    expect(shop.text()).to.not.include('"documents":{"manual/blog"');
  });

  it('has neither for a service that is not served, whatever its name', async () => {
    const events = await stream(port, `?service=${encodeURIComponent('manual/<img src=x>')}`);
    await eventually('all is there', () => isCurrent(events));
    expect(events.state()).to.not.have.any.keys('documents', 'details');
  });

  it('sends repeatedly that nothing has changed', async () => {
    const events = await stream(port);
    await eventually('two say so', () => events.text().split('event: current').length > 2);
  });

  it('opens so many streams and no more, and has their places again', async () => {
    const statuses = (await Promise.all(Array.from({ length: 34 }, () => stream(port)))).map(({ status }) => status);
    expect(statuses.filter((status) => status === 503)).to.have.length(2);
    for (const each of open.splice(0)) each.close();
    await eventually('a place is free', async () => (await stream(port)).status === 200);
  });

  for (const path of ['/v1/events', '/v1/requests'])
    it(`responds to HEAD ${path} with its head alone, and serves on`, async () => {
      const { status, headers } = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'HEAD' });
      expect([status, headers.get('content-type')]).to.deep.equal([200, 'text/event-stream']);
      await eventually('a stream has its place', async () => (await stream(port)).status === 200);
    });

  it('refuses what it does not know', async () => {
    expect((await under.call('GET', '/v1/events?replicas=some')).status).to.equal(400);
  });
});

describe('GET /v1/events of a proxy with ADMIN_TOKEN', () => {
  let under: ProxyUnderTest;
  afterEach(async () => {
    for (const each of open.splice(0)) each.close();
    await under.stop();
  });
  const start = async (env: Readonly<Record<string, string>> = {}) => {
    under = await startProxyUnderTest({ replica: 'one', env: { ADMIN_TOKEN: 's3cret', ...env } });
    await eventually('the proxy is ready', () => under.proxy.ready());
    return under.proxy.admin.port;
  };

  it('needs the token, or a session, whose end ends the stream', async () => {
    const port = await start();
    const origin = `http://127.0.0.1:${port}`;
    expect((await stream(port)).status).to.equal(401);
    expect((await stream(port, '', { Authorization: 'Bearer s3cret' })).status).to.equal(200);
    const login = await fetch(`${origin}/v1/session`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{"token":"s3cret"}',
    });
    const Cookie = (login.headers.get('set-cookie') ?? '').split(';', 1)[0] ?? '';
    const foreign = { Cookie, 'Sec-Fetch-Site': 'same-site' };
    expect((await stream(port, '', foreign)).status).to.equal(401);
    const events = await stream(port, '', { Cookie });
    await eventually('all is there', () => isCurrent(events));
    expect(events.state()).to.have.property('totals');
    await fetch(`${origin}/v1/session`, { method: 'DELETE', headers: { Cookie, Origin: origin } });
    await eventually('the stream ends', () => events.isOver());
    expect((await stream(port, '', { Cookie })).status).to.equal(401);
  });

  it('has no figures where ADMIN_READ is open and the call has no token', async () => {
    const port = await start({ ADMIN_READ: 'open' });
    const events = await stream(port);
    await eventually('all is there', () => isCurrent(events));
    expect(events.state()).to.include.keys('status', 'keys').and.to.not.have.any.keys('totals', 'numbers');
  });

  it('has maintenance without addresses, and nothing of one service, for such a call', async () => {
    const port = await start({ ADMIN_READ: 'open' });
    const token = { Authorization: 'Bearer s3cret' };
    const call =
      '/v1/docker-flow-proxy/reconfigure?serviceName=shop&servicePath=/shop&port=1&outboundHostname=127.0.0.1';
    expect((await under.call('GET', call, { headers: token })).status).to.equal(200);
    expect((await under.call('POST', '/v1/maintenance?service=shop', { headers: token })).status).to.equal(200);
    const [anyone, operator] = [
      await stream(port, '?service=manual/shop'),
      await stream(port, '?service=manual/shop', token),
    ];
    const maintained = (of: Stream) => of.state().maintenance?.['manual/shop'] as { maintenance?: object } | undefined;
    await eventually('both have it', () => maintained(anyone) !== undefined && maintained(operator) !== undefined);
    expect(maintained(operator)?.maintenance).to.include({ from: 'operator', by: 'REST from 127.0.0.1' });
    expect(maintained(anyone)?.maintenance).to.include({ from: 'operator' }).and.to.not.have.property('by');
    await eventually('the details are there', () => operator.state().documents?.['manual/shop'] !== undefined);
    await eventually('all is there', () => isCurrent(anyone));
    expect(anyone.state()).to.not.have.any.keys('documents', 'details', 'certificates', 'ordering');
    await under.call('DELETE', '/v1/maintenance?service=shop', { headers: token });
    await eventually('it ends', () => maintained(operator)?.maintenance === null);
  });

  it('ends when the proxy stops', async () => {
    const port = await start();
    const events = await stream(port, '', { Authorization: 'Bearer s3cret' });
    await eventually('all is there', () => isCurrent(events));
    await under.proxy.stop();
    await eventually('the stream ends', () => events.isOver());
  });
});

describe('a stream of events', () => {
  for (const [when, isDraining] of [
    ['', false],
    [', also where its end is written already', true],
  ] as const)
    it(`holds little for a client that takes nothing, and ends it${when}`, async () => {
      let held: ServerResponse | undefined;
      const items = new ItemVersions();
      for (let at = 0; at < 4_000; at += 1) items.put('services', `s${at}`, JSON.stringify('x'.repeat(4_000)));
      const closed = Promise.withResolvers<void>();
      const draining = () => isDraining && (held?.writableLength ?? 0) > 0;
      const parts = streamParts({ items, subscribe: () => () => closed.resolve() }, { draining });
      const app = express().use(eventRoutes(parts, { pingEveryMs: 20, stalledMs: 300 }));

      const server = createServer((request, response) => {
        held = response;
        app(request, response);
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const client = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => {});
      try {
        client.pause();
        client.write('GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n');
        let most = 0;
        let isOver = false;
        void closed.promise.then(() => {
          isOver = true;
        });
        await eventually('the stream is ended', () => {
          most = Math.max(most, held?.writableLength ?? 0);
          return isOver;
        });
        // One event beyond what stops the next.
        expect(most).to.be.within(1, 64 * 1_024 + 56 * 1_024);
        expect(held?.destroyed).to.equal(true);
      } finally {
        client.destroy();
        server.close();
      }
    });
});

describe('streams of events that no client reads', () => {
  it('lose their places to new ones: what little is sent stays in the buffers of the system', async () => {
    const app = express().use(eventRoutes(streamParts({}), { pingEveryMs: 1_000, stalledMs: 30_000 }, 0));
    const server = createServer(app).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    try {
      const unread = await Promise.all(Array.from({ length: 32 }, () => stream(port)));
      expect(new Set(unread.map(({ status }) => status))).to.deep.equal(new Set([200]));
      const [one, two] = [await stream(port), await stream(port)];
      expect([one.status, two.status]).to.deep.equal([200, 200]);
      await eventually('two have ended', () => unread.filter((each) => each.isOver()).length === 2);
      expect([one.isOver(), two.isOver()]).to.deep.equal([false, false]);
    } finally {
      for (const each of open.splice(0)) each.close();
      server.close();
    }
  });
});

describe('the state behind the streams', () => {
  it('is forgotten some time after the last stream, so that a client that comes later reads all again', async () => {
    const served = {
      services: new Map(),
      rejected: new Map(),
      held: new Map(),
      maintenance: new Map(),
      foreignKeys: [],
    };
    const parts = {
      server: { table: () => ({ size: 0 }), workers: () => [], entrypoints: () => [] },
      follower: { served, state: () => ({ kind: 'following' }), asOfMs: () => 0 },
      problems: () => mergeProblemsInSteps([]),
      totals: { others: async () => [] },
      transport: { secure: false, plainTokens: { last: () => null } },
      long: new LongResponses(),
      replica: {},
      registry: { store: {} },
      ready: () => true,
      draining: () => false,
      presence: { list: async () => [] },
      trafficOf: () => undefined,
    } as unknown as StateFeedOptions['parts'];
    const tasks = new Tasks({ logger: silentLogger });
    const feed = new StateFeed({ parts, scope: 'replica', tasks, lookEveryMs: 10, keepMs: 30 });
    const first = feed.items;
    const unsubscribe = feed.subscribe(() => {});
    await eventually('it has looked', () => feed.isWhole);
    expect(feed.items).to.equal(first);
    unsubscribe();
    await eventually('it has forgotten', () => feed.items !== first);
    expect(feed.isWhole).to.equal(false);
    feed.subscribe(() => {});
    await eventually('it looks again', () => feed.isWhole);
    await feed.stop();
  });
});
