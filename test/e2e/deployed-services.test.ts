import { expect } from 'chai';
import { removeService, updateService } from '../harness/docker.ts';
import { send, untilResponds } from '../harness/http.ts';
import { until } from '../harness/until.ts';
import { sharedStack } from './shared-stack.ts';

// In order: one service lives through all that an operator does to it.
describe('a service that is deployed with labels', () => {
  let id: string;
  const url = (path: string) => `${sharedStack().httpUrl}${path}`;
  const relabel = (labels: Readonly<Record<string, string>>) =>
    updateService(sharedStack().docker, id, (spec) => ({ ...spec, Labels: { ...labels } }));
  const labels = {
    'com.df.notify': 'true',
    'com.df.servicePath': '/orders',
    'com.df.port': '8080',
  };

  after(async () => {
    await removeService(sharedStack().docker, id);
  });

  it('responds through the port that the proxy publishes', async () => {
    id = await sharedStack().createService('orders', { labels, env: { MESSAGE: 'orders' } });
    const response = await untilResponds({ url: url('/orders/7') }, 200);
    expect(JSON.parse(response.body)).to.include({ message: 'orders', path: '/orders/7' });
  });

  it('is one readable document in Consul', async () => {
    const text = await sharedStack().consul.get(`services/swarm/${sharedStack().fullName('orders')}`);
    expect(text, 'one key per service').to.be.a('string');
    expect(JSON.parse(text ?? '').destinations[0]).to.deep.include({ servicePath: ['/orders'], port: 8080 });
    expect(text?.split('\n').length, 'lines: readable as it stands').to.be.greaterThan(5);
  });

  it('moves when its label changes', async () => {
    await relabel({ ...labels, 'com.df.servicePath': '/purchases' });
    await untilResponds({ url: url('/purchases') }, 200);
    await untilResponds({ url: url('/orders') }, 503);
  });

  it('takes a second domain beside the first', async () => {
    const { 'com.df.servicePath': _path, ...rest } = labels;
    await relabel({ ...rest, 'com.df.serviceDomain': 'orders.example.com' });
    await untilResponds({ url: url('/'), host: 'orders.example.com' }, 200);
    await relabel({ ...rest, 'com.df.serviceDomain': 'orders.example.com,purchases.example.com' });
    await untilResponds({ url: url('/'), host: 'purchases.example.com' }, 200);
    await untilResponds({ url: url('/'), host: 'orders.example.com' }, 200);
    await untilResponds({ url: url('/'), host: 'other.example.com' }, 503);
  });

  it('is gone when the label that selects it is removed, and back with it', async () => {
    const { 'com.df.notify': _notify, ...rest } = labels;
    await relabel(labels);
    await untilResponds({ url: url('/orders') }, 200);
    await relabel(rest);
    await untilResponds({ url: url('/orders') }, 503);
    await relabel(labels);
    await untilResponds({ url: url('/orders') }, 200);
  });

  it('is gone when it is scaled to 0, and back when it is scaled up', async () => {
    await sharedStack().scale('orders', 0);
    await untilResponds({ url: url('/orders') }, 503);
    await sharedStack().scale('orders', 2);
    await untilResponds({ url: url('/orders') }, 200);
  });

  it('is gone with docker service rm', async () => {
    await removeService(sharedStack().docker, id);
    // Its tasks end first, so that the reason is no-endpoint for a moment.
    await until('no route is left', async () => {
      const { status, headers } = await send({ url: url('/orders') });
      return status === 503 && headers['x-swarmgate-reason'] === 'no-route';
    });
    expect(await sharedStack().consul.get(`services/swarm/${sharedStack().fullName('orders')}`)).to.equal(undefined);
  });
});

describe('docker/stack.example.yml', () => {
  it('brings two services that respond, one by its path and one by its domain', async () => {
    const stack = sharedStack();
    await stack.deployExample();
    const byPath = await untilResponds({ url: `${stack.httpUrl}/hello` }, 200);
    expect(JSON.parse(byPath.body).message).to.equal('hello from a path');
    const byDomain = await untilResponds({ url: `${stack.httpUrl}/`, host: 'shop.example.com' }, 200);
    expect(JSON.parse(byDomain.body).message).to.equal('hello from a domain');
    await stack.removeExample();
    await untilResponds({ url: `${stack.httpUrl}/hello` }, 503);
  });
});
