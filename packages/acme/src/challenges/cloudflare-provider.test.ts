import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { type CloudflareOptions, cloudflareProvider } from './cloudflare-provider.ts';
import { DnsProviderError } from './dns-provider.ts';

interface FakeRecord {
  readonly id: string;
  readonly type: string;
  readonly name: string;
  readonly content: string;
  readonly ttl: number;
}

/**
 * A fake of Cloudflare's API, version 4: no server of Cloudflare is involved. Paths, permissions, the envelope
 * (`success`, `errors`, `messages`, `result`, `result_info`) and error codes are those of developers.cloudflare.com/api
 * (zones, DNS records) as people quote its responses: 10000 `Authentication error` with 403, 9109 `Invalid access token`, 6003
 * `Invalid request headers` with a chain, 81058 `An identical record already exists.` with 400, 81044 `Record does not exist.`
 */
class FakeCloudflare {
  readonly token = 'fake-token-of-the-test';
  readonly zones: { readonly id: string; readonly name: string }[] = [
    { id: '023e105f4ecef8ad9ca31a8372d0c353', name: 'example.com' },
    { id: '9a7806061c88ada191ed06f989cc3dac', name: 'sub.example.com' },
  ];
  readonly records = new Map<string, FakeRecord[]>();
  readonly calls: string[] = [];
  /** The response in place of the API's, as its edge does on a bad day. */
  instead: { readonly status: number; readonly body: string } | undefined;
  mayWrite = true;
  #server: Server | undefined;
  #ids = 0;

  async start(): Promise<string> {
    const server = createServer(async (request, response) => {
      const text = (await request.setEncoding('utf8').toArray()).join('');
      this.calls.push(`${request.method} ${request.url}`);
      const { status, body } =
        this.instead ?? this.#respond(request.method ?? '', request.url ?? '', request.headers, text);
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(body);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.#server = server;
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/client/v4`;
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    if (this.#server !== undefined) await once(this.#server.close(), 'close');
  }

  #respond(method: string, target: string, headers: Readonly<Record<string, unknown>>, text: string) {
    const { authorization } = headers;
    if (typeof authorization !== 'string' || !/^Bearer [A-Za-z0-9_-]+$/.test(authorization))
      return refusal(400, 6003, 'Invalid request headers');
    if (authorization !== `Bearer ${this.token}`) return refusal(403, 9109, 'Invalid access token');
    const { pathname, searchParams } = new URL(target, 'http://fake');
    if (method === 'GET' && pathname === '/client/v4/zones')
      return success(this.zones.filter(({ name }) => name === searchParams.get('name')));
    const [, zone = '', id] =
      /^\/client\/v4\/zones\/([0-9a-f]{32})\/dns_records(?:\/([0-9a-f]{32}))?$/.exec(pathname) ?? [];
    const found = this.zones.find((each) => each.id === zone);
    if (found === undefined)
      return refusal(404, 7003, 'Could not route to the path, perhaps your object identifier is invalid?');
    const records = this.records.get(zone) ?? [];
    this.records.set(zone, records);
    if (method === 'GET')
      return success(
        records.filter(({ type, name }) => type === searchParams.get('type') && name === searchParams.get('name')),
      );
    if (!this.mayWrite) return refusal(403, 10000, 'Authentication error');
    if (method === 'DELETE') {
      const at = records.findIndex((each) => each.id === id);
      if (at === -1) return refusal(404, 81044, 'Record does not exist.');
      records.splice(at, 1);
      return success({ id });
    }
    if (headers['content-type'] !== 'application/json') return refusal(400, 9207, 'Request body is invalid.');
    const required = JSON.parse(text) as Omit<FakeRecord, 'id'>;
    if (!(required.ttl === 1 || (required.ttl >= 60 && required.ttl <= 86_400)))
      return refusal(400, 9021, 'Invalid TTL.');
    if (
      records.some(
        ({ type, name, content }) => type === required.type && name === required.name && content === required.content,
      )
    )
      return refusal(400, 81058, 'An identical record already exists.');
    this.#ids += 1;
    const record = { id: this.#ids.toString(16).padStart(32, '0'), ...required };
    records.push(record);
    return success(record);
  }
}

const success = (result: unknown) => ({
  status: 200,
  body: JSON.stringify({
    result,
    success: true,
    errors: [],
    messages: [],
    ...(Array.isArray(result)
      ? { result_info: { page: 1, per_page: 100, count: result.length, total_count: result.length } }
      : {}),
  }),
});
const refusal = (status: number, code: number, message: string) => ({
  status,
  body: JSON.stringify({ result: null, success: false, errors: [{ code, message }], messages: [] }),
});

describe('records at Cloudflare, by a fake of its API', () => {
  let fake: FakeCloudflare;
  let apiUrl: string;
  const signal = AbortSignal.timeout(60_000);
  const provider = (changed: Partial<CloudflareOptions> = {}) =>
    cloudflareProvider({ token: fake.token, apiUrl, ...changed });
  const record = (name: string, value = 'digest-1') => ({ name: `_acme-challenge.${name}`, value });
  const values = (zone: string) => {
    const { id } = fake.zones.find(({ name }) => name === zone) ?? { id: '' };
    return (fake.records.get(id) ?? []).map(({ name, content }) => `${name} ${content}`);
  };

  beforeEach(async () => {
    fake = new FakeCloudflare();
    apiUrl = await fake.start();
  });
  afterEach(() => fake.stop());

  it('are written into the nearest zone that the token sees, as quoted text', async () => {
    await provider().present(record('shop.example.com'), signal);
    await provider().present(record('a.b.sub.example.com'), signal);
    expect(values('example.com')).to.deep.equal(['_acme-challenge.shop.example.com "digest-1"']);
    expect(values('sub.example.com')).to.deep.equal(['_acme-challenge.a.b.sub.example.com "digest-1"']);
  });

  it('stand beside each other, and only the own one is removed', async () => {
    const own = provider();
    await own.present(record('example.com'), signal);
    await own.present(record('example.com', 'digest-2'), signal);
    await own.cleanup(record('example.com'), signal);
    expect(values('example.com')).to.deep.equal(['_acme-challenge.example.com "digest-2"']);
    await own.cleanup(record('example.com', 'unknown'), signal);
    expect(values('example.com')).to.have.length(1);
  });

  it('may be there already, from a replica that stopped in between', async () => {
    await provider().present(record('example.com'), signal);
    await provider().present(record('example.com'), signal);
    expect(values('example.com')).to.have.length(1);
  });

  const refusals = [
    [
      'a token that is none',
      () => provider({ token: 'wrong' }).present(record('example.com'), signal),
      /403 9109: Invalid access token/,
    ],
    [
      'a token that may only read',
      () => {
        fake.mayWrite = false;
        return provider().present(record('example.com'), signal);
      },
      /403 10000: Authentication error/,
    ],
    [
      'a zone that the token does not see',
      () => provider().present(record('other.example'), signal),
      /sees no zone of _acme-challenge\.other\.example/,
    ],
    [
      'an edge that responds with HTML',
      () => {
        fake.instead = { status: 502, body: '<html>bad gateway</html>' };
        return provider().present(record('example.com'), signal);
      },
      /: 502/,
    ],
    [
      'a successful response without a zone',
      () => {
        fake.instead = { status: 200, body: '{"success":true,"result":{"id":7}}' };
        return provider().present(record('example.com'), signal);
      },
      /sees no zone/,
    ],
    [
      'an API that does not respond',
      () => provider({ apiUrl: 'http://127.0.0.1:1' }).present(record('example.com'), signal),
      /no response/,
    ],
  ] as const;
  for (const [what, call, message] of refusals)
    it(`report ${what}, without the token`, async () => {
      const error = await call().then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error).to.be.instanceOf(DnsProviderError);
      expect((error as Error).message).to.match(message);
      expect(JSON.stringify(error) + (error as Error).message).to.not.include(fake.token);
    });
});
