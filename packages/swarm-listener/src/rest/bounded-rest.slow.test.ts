import { get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { silentLogger } from '@swarmgate/runtime';
import { sendEndlessly, until } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import { createListenerMetrics } from './listener-metrics.ts';
import { createAgentRest, createListenerRest, type ListeningRest, serveRest } from './listener-rest.ts';

const prefix = '/v1/docker-flow-swarm-listener';
const report = 'POST /v1/task-terminating';
const reportBytes = 4 * 1024;
const calls = [
  `GET ${prefix}/ping`,
  `GET ${prefix}/notify-services`,
  `GET ${prefix}/get-services`,
  `GET ${prefix}/get-nodes`,
  'GET /v1/status',
  'GET /metrics',
  'POST /v1/adopt',
  'POST /v1/task-going',
  report,
  'GET /healthz',
  'GET /readyz',
  'POST /v1/unknown',
];
const endless = 1024 ** 3;

for (const role of ['listener', 'agent'] as const)
  describe(`the REST port of the ${role}`, function () {
    this.timeout(60_000);
    let served: ListeningRest;
    const clients: Socket[] = [];

    before(async () => {
      const app =
        role === 'agent'
          ? createAgentRest({ isReady: () => true, counts: () => ({}) })
          : createListenerRest({
              services: () => [],
              nodes: () => [],
              notifyServices: () => undefined,
              status: () => ({}),
              isReady: () => true,
              metrics: createListenerMetrics().registry,
              adopt: () => 'adopted',
              taskTerminating: () => undefined,
              access: { adminToken: 'right', adminRead: undefined, metricsToken: undefined },
            });
      served = await serveRest(app, { host: '127.0.0.1', port: 0 }, silentLogger);
    });
    afterEach(() => {
      for (const client of clients.splice(0)) client.destroy();
    });
    after(() => served.stop());

    const dial = () => {
      const client = connect(served.port, '127.0.0.1');
      client.on('error', () => undefined);
      client.resume();
      clients.push(client);
      return client;
    };

    for (const call of calls)
      for (const token of ['right', 'wrong'])
        it(`is bounded in its input: ${call}, with the ${token} token`, async () => {
          for (const framing of [`Content-Length: ${endless}`, 'Transfer-Encoding: chunked']) {
            const head = `${call} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n${framing}`;
            const { status, sentBytes } = await sendEndlessly(served.port, head, endless);
            if (role === 'listener' && token === 'right' && call === report) expect(status, framing).to.equal(413);
            else expect(status, framing).to.be.below(500);
            // And what the system's buffers of both sides hold: up to 36 MiB (net.ipv4.tcp_rmem, tcp_wmem).
            expect(sentBytes, framing).to.be.at.most(40 * 1024 ** 2);
          }
        });

    if (role === 'listener')
      it('takes a report of as many bytes as its bound, and none longer', async () => {
        for (const [bytes, status] of [
          [reportBytes, 200],
          [reportBytes + 1, 413],
        ] as const) {
          const text = '{"serviceId":"s","taskId":"t"}';
          const { status: got } = await fetch(`http://127.0.0.1:${served.port}/v1/task-terminating`, {
            method: 'POST',
            headers: { authorization: 'Bearer right', 'content-type': 'application/json' },
            body: text.padEnd(bytes),
          });
          expect(got).to.equal(status);
        }
      });

    it('responds to /healthz under 2,000 connections that stay silent, and closes the oldest of them', async () => {
      const silent = Array.from({ length: 2_000 }, dial);
      await until('the flood', () => silent.every(({ connecting }) => !connecting));
      const status = await new Promise<number | undefined>((resolve, reject) => {
        get({ host: '127.0.0.1', port: served.port, path: '/healthz', agent: false }, (response) => {
          response.resume();
          resolve(response.statusCode);
        }).on('error', reject);
      });
      expect(status).to.equal(200);
      // Long before the time is over that each of them has for its call. How many are closed follows how many get through the backlog.
      await until('the oldest are closed', () => silent.slice(0, 100).every(({ closed }) => closed), {
        withinMs: 4_000,
      });
    });

    it('closes a connection with more calls under way than a client needs', async () => {
      const client = dial();
      let [closed, received] = [false, ''];
      client.setEncoding('latin1').on('data', (text: string) => {
        received += text;
      });
      client.once('close', () => {
        closed = true;
      });
      client.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(500));
      await until('it is closed', () => closed);
      expect(received.split('HTTP/1.1 200').length - 1).to.be.below(500);
    });
  });
