import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509';
import { expect } from 'chai';
import { cryptoKeys, makeKey } from '../certificates/request.ts';
import { AcmeClient } from './acme-client.ts';
import type { AcmeError } from './acme-error.ts';
import { objectionToUrl } from './ca-url.ts';
import { HttpsClient } from './https.ts';

const hourMs = 3_600_000;

describe('a client of a CA', () => {
  const { signal } = new AbortController();
  let server: Server;
  let origin: string;
  let ca: string;
  const clients: AcmeClient[] = [];
  type CaResponse = (request: IncomingMessage, response: ServerResponse) => void;
  let responses: Record<string, CaResponse> = {};
  let nonces = 0;

  before(async () => {
    const key = makeKey();
    const certificate = await X509CertificateGenerator.createSelfSigned({
      keys: await cryptoKeys(key),
      name: 'CN=ca',
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
      extensions: [new SubjectAlternativeNameExtension([{ type: 'ip', value: '127.0.0.1' }])],
    });
    ca = certificate.toString('pem');
    server = createServer({ cert: ca, key: key.export({ type: 'pkcs8', format: 'pem' }) }, (request, response) => {
      request.resume().once('end', () => {
        const path = request.url ?? '';
        response.setHeader('replay-nonce', `n${nonces++}`);
        const reply = responses[path];
        if (reply !== undefined) return reply(request, response);
        if (path === '/dir') {
          const urls = { newNonce: `${origin}/nonce`, newAccount: `${origin}/account`, newOrder: `${origin}/order` };
          return response.end(JSON.stringify(urls));
        }
        return response.end();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    responses = {};
    for (const each of clients.splice(0)) each.close();
  });
  after(async () => {
    server.closeAllConnections();
    await once(server.close(), 'close');
  });

  const open = (now = Date.now) => {
    const client = new AcmeClient({
      directoryUrl: `${origin}/dir`,
      accountKey: makeKey(),
      accountUrl: `${origin}/me`,
      userAgent: 'x',
      ca,
      now,
    });
    clients.push(client);
    return client;
  };
  const json =
    (status: number, body: object, headers: Record<string, string> = {}): CaResponse =>
    (_, response) =>
      response.writeHead(status, headers).end(JSON.stringify(body));
  const failure = (promise: Promise<unknown>) =>
    promise.then(
      () => expect.fail('it is refused'),
      (error: unknown) => error as AcmeError,
    );
  const order = () => ({ status: 'pending', authorizations: [], finalize: `${origin}/finalize` });

  const slow = [
    ['never responds', () => undefined],
    ['sends its response a byte at a time and never ends', drip],
  ] as const;
  for (const [what, reply] of slow)
    it(`fails the call to a CA that ${what}`, async () => {
      responses['/slow'] = reply;
      const client = new HttpsClient({ ca, userAgent: 'x', timeoutMs: 200 });
      const error = await failure(client.send({ method: 'GET', url: `${origin}/slow` }, signal));
      client.close();
      expect(error.code).to.equal('acme-unreachable');
      expect(error.message).to.include('/slow').and.include('no complete response within 200 ms');
    });

  const statuses = [
    [400, 503, 'acme-refused'],
    [503, 400, 'acme-unavailable'],
    [404, 200, 'acme-refused'],
  ] as const;
  for (const [status, written, code] of statuses)
    it(`goes by the status ${status} of a response, where its body says ${written}`, async () => {
      responses['/o'] = json(status, { type: 'urn:ietf:params:acme:error:malformed', status: written });
      const error = await failure(open().order(`${origin}/o`, signal));
      expect(error).to.include({ code });
      expect(error.problem).to.include({ status });
    });

  const locations = ['/relative', 'http://127.0.0.1/o', 'file:///etc/passwd', 'https://u:p@127.0.0.1/o', 'nonsense'];
  for (const location of locations)
    it(`takes no Location ${location}`, async () => {
      responses['/order'] = json(201, order(), { location });
      responses['/account'] = json(201, { status: 'valid' }, { location });
      const client = open();
      const identifiers = [{ type: 'dns' as const, value: 'a.example.com' }];
      for (const requested of [client.newOrder({ identifiers }, signal), client.createAccount({}, signal)])
        expect(await failure(requested)).to.include({ code: 'acme-unavailable' });
      expect(client.accountUrl).to.equal(`${origin}/me`);
    });

  const dated = (offMs: number) => ({ date: new Date(Date.now() + offMs).toUTCString() });
  const clocks = [
    ['two hours ahead', 2 * hourMs, 2 * hourMs, undefined],
    ['two hours behind', -2 * hourMs, -2 * hourMs, undefined],
    ['23 hours ahead', 23 * hourMs, 23 * hourMs, undefined],
    ['two days ahead', 48 * hourMs, 0, 48 * hourMs],
    ['ten years behind', -87_600 * hourMs, 0, -87_600 * hourMs],
    ['a second ahead', 1_000, 0, undefined],
  ] as const;
  for (const [what, offMs, used, refused] of clocks)
    it(`${refused === undefined ? 'follows' : 'does not follow'} a clock that is ${what}`, async () => {
      responses['/o'] = json(200, order(), dated(offMs));
      const client = open();
      await client.order(`${origin}/o`, signal);
      expect(client.clockOffsetMs).to.be.closeTo(used, 2_000);
      if (refused === undefined) expect(client.refusedOffsetMs).to.equal(undefined);
      else expect(client.refusedOffsetMs).to.be.closeTo(refused, 2_000);
    });

  it('reads no clock from a refusal, and keeps the last one that it followed', async () => {
    const client = open();
    responses['/o'] = json(200, order(), dated(2 * hourMs));
    await client.order(`${origin}/o`, signal);
    responses['/o'] = json(503, {}, dated(9 * hourMs));
    await failure(client.order(`${origin}/o`, signal));
    expect(client.clockOffsetMs).to.be.closeTo(2 * hourMs, 2_000);
    responses['/o'] = json(200, order(), dated(99 * hourMs));
    await client.order(`${origin}/o`, signal);
    expect(client.clockOffsetMs).to.be.closeTo(2 * hourMs, 2_000);
  });

  it('goes on with the nonce that it fetched, where another request comes between', async () => {
    const started: Promise<unknown>[] = [];
    let isFetched = false;
    const client: AcmeClient = open(() => {
      // Called as the response is read: the request that begins here takes what is in stock.
      const isFirst = isFetched;
      isFetched = false;
      if (isFirst) started.push(client.order(`${origin}/o`, signal));
      return Date.now();
    });
    await client.directory(signal);
    const slow = Promise.withResolvers<void>();
    responses['/o'] = json(200, order());
    responses['/slow'] = (request, response) => void slow.promise.then(() => json(200, order())(request, response));
    responses['/nonce'] = (_, response) => {
      isFetched = started.length === 0;
      response.end();
    };
    const first = client.order(`${origin}/slow`, signal);
    await client.order(`${origin}/o`, signal);
    slow.resolve();
    expect(await Promise.all([first, ...started])).to.have.length(2);
  });

  const own = 'https://acme.example.org/dir';
  const urls = [
    ['https://acme.example.org/o', own, true],
    ['https://storage.example.net/cert', own, true],
    ['https://8.8.8.8/o', own, true],
    ['http://acme.example.org/o', own, false],
    ['//acme.example.org/o', own, false],
    ['https://user@acme.example.org/o', own, false],
    ['https://127.0.0.1/o', own, false],
    ['https://2130706433/o', own, false],
    ['https://[::1]/o', own, false],
    ['https://[::ffff:10.0.0.1]/o', own, false],
    ['https://169.254.169.254/latest', own, false],
    ['https://localhost./o', own, false],
    ['https://consul:8501/v1/kv', own, false],
    ['https://db.internal/', own, false],
    ['https://10.0.0.2/o', 'https://10.0.0.1/dir', true],
    ['https://ca:9000/o', 'https://ca:9000/dir', true],
    ['https://10.0.0.2/o', 'https://ca.internal/dir', true],
    ['http://10.0.0.2/o', 'https://10.0.0.2/dir', false],
  ] as const;
  for (const [url, directory, isAllowed] of urls)
    it(`${isAllowed ? 'requests' : 'does not request'} ${url} of the directory ${directory}`, () => {
      expect(objectionToUrl(url, directory) === undefined).to.equal(isAllowed);
    });

  it('does not send to a host that it does not call', async () => {
    const client = new AcmeClient({
      directoryUrl: own,
      accountKey: makeKey(),
      accountUrl: `${own}/me`,
      userAgent: 'x',
      ca,
    });
    clients.push(client);
    let requested = 0;
    responses['/o'] = (_, response) => {
      requested += 1;
      response.end();
    };
    Object.assign(client, { directory: async () => ({ newNonce: `${origin}/nonce` }) });
    expect(await failure(client.order(`${origin}/o`, signal))).to.include({ code: 'acme-unavailable' });
    expect(requested).to.equal(0);
  });
});

function drip(_: IncomingMessage, response: ServerResponse): void {
  const timer = setInterval(() => response.write(' '), 20);
  response.once('close', () => clearInterval(timer));
}
