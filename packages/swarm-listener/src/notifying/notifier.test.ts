import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { silentLogger } from '@swarmgate/runtime';
import { until } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import { createNotifier, type Notifier } from './notifier.ts';

describe('the notifier', () => {
  let server: Server;
  let url: string;
  let heard: string[];
  let answers: number[];
  let notifier: Notifier;

  beforeEach(async () => {
    heard = [];
    answers = [];
    server = createServer((request, response) => {
      heard.push(`${request.method} ${request.url}`);
      response.writeHead(answers.shift() ?? 200).end();
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

  it('retries until a target accepts', async () => {
    answers = [500, 404];
    notify();
    await done();
    expect(notifier.counts()).to.include({ delivered: 1, failed: 0, tries: 3 });
  });

  it('gives up after the retries', async () => {
    answers = [500, 500, 500, 500, 200];
    notify();
    await done();
    expect(notifier.counts()).to.include({ delivered: 0, failed: 1, tries: 4 });
  });

  it('counts 409 as delivered for a creation, and not for a removal', async () => {
    answers = [409];
    notify();
    await done();
    expect(notifier.counts()).to.include({ delivered: 1, tries: 1 });
    answers = [409];
    notify({ kind: 'remove' });
    await done();
    expect(notifier.counts()).to.include({ delivered: 2, tries: 3 });
  });

  it('cancels a notification that is still retried when a newer one of its subject comes', async () => {
    await notifier.stop();
    notifier = create(50, 60_000);
    answers = [500];
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
    answers = [500];
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
