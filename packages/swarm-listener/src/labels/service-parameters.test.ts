import { expect } from 'chai';
import { aNode, aService, aTask } from '../../test/swarm-fixtures.ts';
import {
  isSelected,
  nodeInfoOf,
  notifiedNames,
  parametersOf,
  publishedName,
  selectionOf,
} from './service-parameters.ts';

const naming = { notifyLabel: 'com.df.notify', serviceNamePrefix: '' };

describe('selection of services', () => {
  const cases = [
    ['notify=true', { labels: { 'com.df.notify': 'true' } }, 'selected'],
    ['notify=1, as Go reads booleans', { labels: { 'com.df.notify': '1' } }, 'selected'],
    ['blanks around the value', { labels: { 'com.df.notify': ' true ' } }, 'selected'],
    ['a global service', { mode: { kind: 'global' } }, 'selected'],
    ['notify=false', { labels: { 'com.df.notify': 'false' } }, 'label-false'],
    ['no notify label', { labels: { 'com.df.servicePath': '/' } }, 'label-missing'],
    ['an empty notify label', { labels: { 'com.df.notify': '' } }, 'label-missing'],
    ['a value that is no boolean', { labels: { 'com.df.notify': 'yes' } }, 'unclear'],
    ['no replicas', { mode: { kind: 'replicated', replicas: 0 } }, 'scaled-to-zero'],
    ['a job', { mode: { kind: 'job' } }, 'job'],
  ] as const;
  for (const [what, over, expected] of cases) {
    it(`is ${expected} for ${what}`, () => {
      expect(selectionOf(aService(over), naming)).to.equal(expected);
      expect(isSelected(aService(over), naming)).to.equal(expected === 'selected');
    });
  }

  it('follows the label that DF_NOTIFY_LABEL names', () => {
    const service = aService({ labels: { 'com.acme.route': 'true' } });
    expect(isSelected(service, { ...naming, notifyLabel: 'com.acme.route' })).to.equal(true);
    expect(isSelected(service, naming)).to.equal(false);
  });
});

describe('published names', () => {
  const inStack = { 'com.docker.stack.namespace': 'shop' };
  const cases = [
    ['its own', 'shop_web', inStack, '', 'shop_web'],
    ['without the stack, by shortName', 'shop_web', { ...inStack, 'com.df.shortName': 'true' }, '', 'web'],
    ['prefixed', 'shop_web', inStack, 'eu-', 'eu-shop_web'],
    ['short and prefixed together', 'shop_web', { ...inStack, 'com.df.shortName': 'true' }, 'eu-', 'eu-web'],
    ['its own outside a stack', 'a_web', { 'com.df.shortName': 'true' }, '', 'a_web'],
    ['shortened by its stack only', 'shop_a_b', { ...inStack, 'com.df.shortName': 'true' }, '', 'a_b'],
  ] as const;
  for (const [what, name, labels, serviceNamePrefix, expected] of cases) {
    it(`are ${what}: ${expected}`, () => {
      expect(publishedName(aService({ name, labels }), { ...naming, serviceNamePrefix })).to.equal(expected);
    });
  }
});

describe('the parameters of a service', () => {
  it('are those of Docker Flow', () => {
    expect(parametersOf(aService(), naming)).to.deep.equal({
      distribute: 'true',
      port: '8080',
      replicas: '1',
      serviceName: 'go-demo',
      servicePath: '/demo',
    });
  });

  it('have no replicas for a global service, and keep a distribute of their own', () => {
    const service = aService({ mode: { kind: 'global' }, labels: { 'com.df.distribute': 'false' } });
    expect(parametersOf(service, naming)).to.deep.equal({ distribute: 'false', serviceName: 'go-demo' });
  });

  it('leave out what is for the listener, and labels of others', () => {
    const labels = {
      'com.df.notify': 'true',
      'com.df.shortName': 'true',
      'com.df.notifyService': 'monitor',
      'com.df.': 'nameless',
      'traefik.enable': 'true',
      'com.df.scrapePort': '9090',
    };
    expect(Object.keys(parametersOf(aService({ labels }), naming))).to.have.members([
      'scrapePort',
      'serviceName',
      'replicas',
      'distribute',
    ]);
  });

  it('cannot name a service otherwise: Docker Flow overwrites serviceName too', () => {
    const service = aService({ labels: { 'com.df.serviceName': 'other' } });
    expect(parametersOf(service, naming).serviceName).to.equal('go-demo');
  });

  it('contain where the tasks run, on the scraped network', () => {
    const nodes = new Map([['node-1', aNode()]]);
    const attachments = [
      { networkId: 'i', networkName: 'ingress', ingress: true, addresses: ['10.255.0.3/16'] },
      { networkId: 'a', networkName: 'proxy', ingress: false, addresses: ['10.0.1.5/24'] },
      { networkId: 'b', networkName: 'monitor', ingress: false, addresses: ['10.0.2.7/24'] },
    ];
    const tasks = [aTask({ attachments }), aTask({ id: 'task-2', desiredState: 'shutdown', attachments })];
    const scraped = aService({ labels: { 'com.df.scrapeNetwork': 'monitor' } });
    expect(nodeInfoOf(scraped, tasks, nodes)).to.equal('[["one","10.0.2.7","node-1"]]');
    expect(nodeInfoOf(aService(), tasks, nodes)).to.equal('[["one","10.0.1.5","node-1"]]');
  });

  it('contain the notification targets of the service', () => {
    expect(notifiedNames(aService({ labels: { 'com.df.notifyService': ' monitor , 2 ' } }))).to.deep.equal([
      'monitor',
      '2',
    ]);
    expect(notifiedNames(aService())).to.equal(undefined);
  });
});
