import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect } from 'chai';
import { type OtlpReceiver, startOtlpReceiver } from './otlp-receiver.ts';
import { eventually, type ProxyUnderTest, startProxyUnderTest } from './running-proxy.ts';
import { listening } from './worker-rig.ts';

const strangers = 10_000;

// Other proxies had a series for every host or method that a client made up: caddyserver/caddy#7208, traefik/traefik#8761.
describe('what clients make up', () => {
  let receiver: OtlpReceiver;
  let backend: Server;
  let under: ProxyUnderTest;

  before(async () => {
    receiver = await startOtlpReceiver();
    backend = await listening(createServer((_received, response) => response.end('fine')));
    under = await startProxyUnderTest({
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        OTEL_TRACES_SAMPLER: 'always_off',
        OTEL_BSP_SCHEDULE_DELAY: '1',
        TRACES_SLOW_MS: '0',
      },
    });
    await eventually('the proxy is ready', () => under.proxy.ready());
    const where = `port=${(backend.address() as AddressInfo).port}&outboundHostname=127.0.0.1&traceSample=0`;
    const query = `serviceName=shop&serviceDomain=shop.example&servicePath=/,/cart&${where}`;
    expect((await under.call('GET', `/v1/docker-flow-proxy/reconfigure?${query}`)).status).to.equal(200);
  });
  after(async () => {
    await under.stop();
    await receiver.stop();
    backend.close();
  });

  /** Sends requests on one connection, one after the other in pieces of 100; resolves with how many responses there were. */
  async function send(requests: readonly string[]): Promise<number> {
    const socket = connect(under.proxy.entrypoints()[0]?.port ?? 0, '127.0.0.1');
    let responses = 0;
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      responses += text.split('HTTP/1.1 ').length - 1;
    });
    for (let at = 0; at < requests.length; at += 100) {
      const piece = requests.slice(at, at + 100);
      socket.write(piece.join(''));
      await eventually('the responses', () => responses >= Math.min(at + 100, requests.length));
    }
    socket.destroy();
    return responses;
  }
  const request = (method: string, path: string, host: string) =>
    `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 0\r\n\r\n`;
  const each = (make: (at: number) => string) => Array.from({ length: strangers }, (_, at) => make(at));
  const series = async () =>
    (await under.call('GET', '/metrics')).text.split('\n').filter((line) => line.startsWith('swarmgate_'));
  const namesOf = (lines: readonly string[]) => lines.map((line) => line.slice(0, line.lastIndexOf(' ')));

  it('are no label values: hosts, methods and paths, 10,000 of each', async function () {
    this.timeout(120_000);
    const once = [request('GET', '/', 'no.example'), request('GET', '/cart', 'shop.example')];
    await send([...once, request('FOO', '/', 'shop.example')]);
    const before = namesOf(await series());
    await send(each((at) => request('GET', '/', `h${at}.example`)));
    await send(each((at) => request(`M${at}`, '/', 'shop.example')));
    await send(each((at) => request('GET', `/p${at}`, 'shop.example')));
    const after = await series();
    expect(namesOf(after)).to.deep.equal(before);
    expect(after.join('\n')).to.include(`swarmgate_requests_total{service="",status="5xx"} ${strangers + 1}`);
    // The service of this test knows only methods that exist.
    for (const status of ['2xx', '4xx'])
      expect(after.join('\n')).to.include(
        `swarmgate_requests_total{service="manual/shop",status="${status}"} ${strangers + 1}`,
      );
    const { services, unmatched } = JSON.parse((await under.call('GET', '/v1/services')).text) as {
      services: readonly object[];
      unmatched: { sinceStart: { requests: number } };
    };
    expect(services).to.have.length(1);
    expect(unmatched.sinceStart.requests).to.equal(strangers + 1);
  });

  it('are in no span’s name or method', async () => {
    const query = 'serviceName=shop&serviceDomain=shop.example&servicePath=/,/cart&traceSample=1';
    const where = `port=${(backend.address() as AddressInfo).port}&outboundHostname=127.0.0.1`;
    await under.call('GET', `/v1/docker-flow-proxy/reconfigure?${query}&${where}`);
    receiver.spans.length = 0;
    await send([request('HACK', '/cartoon/7?token=1', 'shop.example'), request('GET', '/cart/7', 'shop.example')]);
    await eventually('the spans', () => receiver.spans.length >= 4);
    expect(receiver.refused).to.deep.equal([]);
    const [unknown, , known] = receiver.spans;
    expect(unknown).to.include({ name: 'HTTP /', kind: 'server' });
    expect(unknown?.attributes).to.include({
      'http.request.method': '_OTHER',
      'http.request.method_original': 'HACK',
      'http.route': '/',
      'url.path': '/cartoon/7',
    });
    expect(known).to.include({ name: 'GET /cart' });
    expect(JSON.stringify(receiver.spans)).not.to.include('token');
  });
});
