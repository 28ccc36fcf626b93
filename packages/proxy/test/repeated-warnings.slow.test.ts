import { get } from 'node:http';
import { connect } from 'node:net';
import { PassThrough } from 'node:stream';
import { createLogger } from '@swarmgate/runtime';
import { until } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import { startProxyUnderTest } from './running-proxy.ts';

describe('what a proxy logs again and again', () => {
  for (const level of ['info', 'debug'] as const)
    it(`of requests to an endpoint that refuses, and refused connections, at level ${level}`, async function () {
      this.timeout(30_000);
      const destination = new PassThrough({ encoding: 'utf8' });
      let text = '';
      destination.on('data', (part: string) => {
        text += part;
      });
      const of = (message: string) => text.split('\n').filter((line) => line.includes(message));
      const under = await startProxyUnderTest({
        env: { MAX_CONNECTIONS: '2' },
        logger: createLogger({ level, destination }),
      });
      try {
        await until('the proxy is ready', () => under.proxy.ready());
        const reconfigure = '/v1/docker-flow-proxy/reconfigure?serviceName=shop&servicePath=/shop&port=9';
        expect((await under.call('GET', `${reconfigure}&outboundHostname=127.0.0.1`)).status).to.equal(200);
        const [entrypoint] = under.proxy.entrypoints();
        const port = entrypoint?.port ?? 0;
        const beganMs = performance.now();
        for (let at = 0; at < 100; at += 1) expect(await statusOf(port)).to.equal(502);
        const sockets = Array.from({ length: 30 }, () => connect(port, '127.0.0.1').on('error', () => undefined));
        await until('all but two are refused', () => sockets.filter(({ destroyed }) => destroyed).length >= 28);
        for (const socket of sockets) socket.destroy();
        const seconds = Math.ceil((performance.now() - beganMs) / 1_000);
        if (level === 'debug') {
          expect(of('an endpoint failed')).to.have.length.at.least(100);
          expect(of('a connection was refused')).to.have.length.at.least(28);
        } else {
          expect(of('an endpoint failed')).to.have.length.within(1, 2 * seconds + 1);
          expect(of('a connection was refused')).to.have.length.within(1, seconds + 1);
        }
      } finally {
        await under.stop();
      }
      // The counts that were pending at its end are reported.
      if (level === 'info') expect(of('an endpoint failed').join('')).to.include('"repeated":');
    });
});

function statusOf(port: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: '/shop', agent: false }, (response) => {
      resolve(response.resume().statusCode);
    }).once('error', reject);
  });
}
