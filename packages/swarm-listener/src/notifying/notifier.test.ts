import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Logger, silentLogger } from '@swarmgate/runtime';
import { until } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import { createNotifier, type Notifier } from './notifier.ts';

describe('the notifier', () => {
  let server: Server;
  let url: string;
  let heard: string[];
  let responses: number[];
  let notifier: Notifier;

  beforeEach(async () => {
    heard = [];
    responses = [];
    server = createServer((request, response) => {
      heard.push(`${request.method} ${request.url}`);
      response.writeHead(responses.shift() ?? 200).end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/reconfigure`;
    notifier = create(3);
  });

  afterEach(async () => {
    await notifier.stop();
    server.closeAllConnections();
    server.close();
  });

  const create = (retries: number, retryIntervalMs = 1) =>
    createNotifier({ retries, retryIntervalMs, logger: silentLogger, signal: new AbortController().signal });
  const notify = (over: Partial<Parameters<Notifier['notify']>[0]> = {}) =>
    notifier.notify({
      subject: 'service a',
      kind: 'create',
      targets: [{ url, method: 'GET' }],
      parameters: { serviceName: 'a' },
      ...over,
    });
  const done = () => until('nothing pending', () => notifier.counts().pending === 0);

  it('calls each target by its method with the parameters', async () => {
    notify({
      targets: [
        { url, method: 'GET' },
        { url: `${url}?x=1`, method: 'PUT' },
      ],
    });
    await done();
    expect(heard).to.have.members(['GET /reconfigure?serviceName=a', 'PUT /reconfigure?x=1&serviceName=a']);
    expect(notifier.counts()).to.include({ delivered: 2, failed: 0 });
  });

  it('logs a target that fails for many services once a second, with their number', async () => {
    const lines: { readonly repeated?: number }[] = [];
    const write = (fields: { readonly repeated?: number }) => lines.push(fields);
    const logger = { warn: write, error: write, debug: () => undefined } as unknown as Logger;
    await notifier.stop();
    notifier = createNotifier({ retries: 0, retryIntervalMs: 1, logger, signal: new AbortController().signal });
    responses = Array.from({ length: 50 }, () => 500);
    const startedAtMs = performance.now();
    for (let service = 0; service < 50; service += 1) notify({ subject: `service ${service}` });
    await done();
    await notifier.stop();
    // One of the first failures, one a second, and at the stop what was left out: of the retries and of the failures.
    const seconds = Math.floor((performance.now() - startedAtMs) / 1_000);
    expect(lines.length).to.be.at.most(4 + 2 * seconds);
    expect(lines.reduce((sum, { repeated = 0 }) => sum + 1 + repeated, 0)).to.equal(100);
  });

  it('retries until a target accepts', async () => {
    responses = [500, 404];
    notify();
    await done();
    expect(notifier.counts()).to.include({ delivered: 1, failed: 0, tries: 3 });
  });

  it('ends after the retries', async () => {
    responses = [500, 500, 500, 500, 200];
    notify();
    await done();
    expect(notifier.counts()).to.include({ delivered: 0, failed: 1, tries: 4 });
  });

  it('counts 409 as delivered for a creation, and not for a removal', async () => {
    responses = [409];
    notify();
    await done();
    expect(notifier.counts()).to.include({ delivered: 1, tries: 1 });
    responses = [409];
    notify({ kind: 'remove' });
    await done();
    expect(notifier.counts()).to.include({ delivered: 2, tries: 3 });
  });

  it('cancels a notification that is still retried when a newer one of its subject comes', async () => {
    await notifier.stop();
    notifier = create(50, 60_000);
    responses = [500];
    notify();
    await until('the first try', () => heard.length === 1);
    notify({ kind: 'remove' });
    await done();
    expect(heard).to.have.length(2);
    expect(notifier.counts()).to.include({ delivered: 1, failed: 0 });
  });

  it('delivers others meanwhile', async () => {
    await notifier.stop();
    notifier = create(50, 60_000);
    responses = [500];
    notify();
    await until('the first try', () => heard.length === 1);
    notify({ subject: 'service b', parameters: { serviceName: 'b' } });
    await until('b was heard', () => notifier.counts().delivered === 1);
    expect(notifier.counts().pending).to.equal(1);
  });

  it('stops at once, whatever is still retried', async () => {
    await notifier.stop();
    notifier = create(50, 60_000);
    notify({ targets: [{ url: 'http://127.0.0.1:1/', method: 'GET' }] });
    await until('a try', () => notifier.counts().tries === 1);
    await notifier.stop();
    expect(notifier.counts()).to.include({ pending: 0, delivered: 0 });
  });
});
