import { networkInterfaces } from 'node:os';
import { expect } from 'chai';
import type { Server } from '../src/control/serving/server.ts';
import { freePort } from './free-ports.ts';
import { RawClient } from './raw-client.ts';
import { type ProxyUnderTest, startProxyUnderTest } from './running-proxy.ts';
import { until } from './until.ts';

const external = Object.values(networkInterfaces())
  .flatMap((each) => each ?? [])
  .find(({ internal }) => !internal);
const forms = ['127.0.0.1', '127.9.9.9', '0.0.0.0', '::ffff:127.0.0.1', 'localhost', '2130706433', '127.1'];
if (external !== undefined) forms.push(external.address);

describe('No service leads to the proxy’s own ports', () => {
  let under: ProxyUnderTest;
  let server: Server;
  const clients: RawClient[] = [];

  beforeEach(async () => {
    under = await startProxyUnderTest({
      // On all addresses, as the image has it, so that only the rule keeps services away.
      env: { ADMIN_HOST: '::' },
      onServer: (prepared) => {
        server = prepared;
      },
    });
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    await under.stop();
  });

  const entryPort = () => server.entrypoints()[0]?.port ?? 0;
  const dial = (port: number) => {
    const client = new RawClient(port);
    clients.push(client);
    return client;
  };
  const reconfigure = async (labels: Readonly<Record<string, string>>) => {
    const query = new URLSearchParams({ serviceName: 'away', ...labels });
    const { status, text } = await under.call('GET', `/v1/docker-flow-proxy/reconfigure?${query}`, {
      headers: { Host: 'localhost' },
    });
    expect(status, text).to.equal(200);
  };

  for (const outboundHostname of forms) {
    const request = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n';

    it(`not a request, by ${outboundHostname}`, async () => {
      for (const port of [under.proxy.admin.port, entryPort()]) {
        await reconfigure({ servicePath: '/', outboundHostname, port: String(port) });
        const client = dial(entryPort());
        client.send(`${request}\r\n`);
        const { status } = await client.response();
        expect(status, `port ${port}`).to.be.oneOf([502, 503]);
      }
    });

    it(`not an upgrade, by ${outboundHostname}`, async () => {
      await reconfigure({ servicePath: '/', outboundHostname, port: String(under.proxy.admin.port) });
      const client = dial(entryPort());
      client.send(`${request}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
      expect((await client.response()).status).to.be.oneOf([502, 503]);
    });

    it(`not a relay, by ${outboundHostname}`, async () => {
      const srcPort = await freePort();
      for (const port of [under.proxy.admin.port, entryPort(), srcPort]) {
        await reconfigure({ reqMode: 'tcp', srcPort: String(srcPort), outboundHostname, port: String(port) });
        const client = dial(srcPort);
        client.send(`${request}Connection: close\r\n\r\n`);
        await client.end();
        expect(client.received, `port ${port}`).to.equal('');
      }
    });
  }

  it('and its owner can read why', async () => {
    const port = under.proxy.admin.port;
    await reconfigure({ servicePath: '/', outboundHostname: '127.0.0.1', port: String(port) });
    let text = '';
    await until(async () => {
      ({ text } = await under.call('GET', '/v1/problems', { headers: { Host: 'localhost' } }));
      return text.includes('own-port');
    }, 'the problem');
    expect(text).to.include(`127.0.0.1:${port} is a port of the proxy itself`);
  });
});
