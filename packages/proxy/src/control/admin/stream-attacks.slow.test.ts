import { once } from 'node:events';
import { type ClientRequest, get, type IncomingMessage } from 'node:http';
import { expect } from 'chai';
import { eventually, type ProxyUnderTest, startProxyUnderTest } from '../../../test/running-proxy.ts';

const many = 200;

interface OpenedStream {
  readonly sent: ClientRequest;
  readonly response: IncomingMessage;
}

describe(`${many} streams at once`, () => {
  let under: ProxyUnderTest;
  let entry: string;
  const opened: ClientRequest[] = [];
  before(async () => {
    under = await startProxyUnderTest({ replica: 'one' });
    await eventually('the proxy is ready', () => under.proxy.ready());
    entry = `http://127.0.0.1:${under.proxy.entrypoints()[0]?.port}`;
  });
  afterEach(() => {
    for (const each of opened.splice(0)) each.destroy();
  });
  after(() => under.stop());

  const open = async (path: string, localAddress: string): Promise<OpenedStream> => {
    const sent = get({ host: '127.0.0.1', port: under.proxy.admin.port, path, localAddress, agent: false });
    opened.push(sent);
    sent.on('error', () => undefined);
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    response.on('error', () => undefined);
    return { sent, response };
  };

  for (const [path, places] of [
    ['/v1/events', 32],
    ['/v1/requests', 16],
  ] as const)
    it(`of ${path}, that take nothing: ${places} are served, the others get 503 with Retry-After, and all else goes on`, async () => {
      const streams = await Promise.all(Array.from({ length: many }, (_, at) => open(path, `127.0.4.${1 + (at % 8)}`)));
      const byStatus = Map.groupBy(streams, ({ response }) => response.statusCode);
      expect([byStatus.get(200)?.length, byStatus.get(503)?.length]).to.deep.equal([places, many - places]);
      expect(new Set(byStatus.get(503)?.map(({ response }) => response.headers['retry-after']))).to.deep.equal(
        new Set(['5']),
      );
      // Another operator's page reads the state where it gets no stream, and services are served.
      for (const call of ['/v1/status', '/v1/routes', '/v1/problems', '/readyz'])
        expect((await under.call('GET', call)).status, call).to.equal(200);
      expect((await fetch(`${entry}/`)).headers.get('x-swarmgate-reason')).to.equal('no-route');
      for (const { sent } of streams) sent.destroy();
      await eventually('a place is free', async () => (await open(path, '127.0.0.1')).response.statusCode === 200);
    });

  it('that are opened and left, over and over, keep no place', async () => {
    for (let round = 0; round < 5; round += 1) {
      const streams = await Promise.all(Array.from({ length: 40 }, () => open('/v1/events', '127.0.0.1')));
      for (const { sent } of streams) sent.destroy();
    }
    await eventually('every place is free', async () => {
      const streams = await Promise.all(Array.from({ length: 32 }, () => open('/v1/events', '127.0.0.1')));
      for (const { sent } of streams) sent.destroy();
      return streams.every(({ response }) => response.statusCode === 200);
    });
  });
});
