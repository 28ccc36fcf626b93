import { expect } from 'chai';
import fc from 'fast-check';
import { checkDefinition, checkEndpoints } from './check-definition.ts';

const place = { owner: 'swarm', service: 'go-demo' };
const good = {
  version: 1,
  ...place,
  source: { kind: 'rest', by: 'a test' },
  updatedAt: '2026-01-02T03:04:05.000Z',
  destinations: [{ index: 0, since: 7, servicePath: ['/demo'], port: 8080 }],
};
const [destination] = good.destinations;

describe('checkDefinition', () => {
  it('takes what we write', () => {
    expect(checkDefinition(good, place)).to.deep.equal({ ok: true, definition: good });
  });

  it('drops unknown fields', () => {
    expect(checkDefinition({ ...good, note: 'mine' }, place)).to.deep.include({ ok: true, definition: good });
  });

  it('completes a destination written by hand', () => {
    const checked = checkDefinition({ ...good, destinations: [destination, { servicePath: ['/b'], port: 1 }] }, place);
    expect(checked.ok && checked.definition.destinations[1]).to.deep.equal({
      index: 1,
      since: Date.parse(good.updatedAt),
      servicePath: ['/b'],
      port: 1,
    });
  });

  // [what it shows, document, label, in the message]
  const wrong: readonly [string, unknown, string | undefined, RegExp][] = [
    ['not an object', 'x', 'the document', /a string/],
    ['null', null, 'the document', /null/],
    ['no destinations', { ...good, destinations: [] }, 'destinations', /a list/],
    [
      'a port as text',
      { ...good, destinations: [{ ...destination, port: '8080' }] },
      'destinations.0.port',
      /is "8080"/,
    ],
    ['a newer version', { ...good, version: 2 }, 'version', /is 2/],
    ['no match', { ...good, destinations: [{ port: 80 }] }, 'servicePath', /neither/],
    ['no port', { ...good, destinations: [{ servicePath: ['/'] }] }, 'port', /not set/],
    ['an index twice', { ...good, destinations: [destination, destination] }, 'index', /two destinations/],
    ['another service', { ...good, service: 'other' }, undefined, /its key of swarm\/go-demo/],
    [
      'a bad expression',
      { ...good, destinations: [{ ...destination, reqPathSearchReplace: [{ search: '(?=a)', replace: '' }] }] },
      'destinations.0.reqPathSearchReplace.0.search',
      /look-around/,
    ],
    [
      'a header condition that JSON could lose',
      { ...good, destinations: [{ ...destination, serviceHeader: JSON.parse('{"__proto__":"x"}') }] },
      'destinations.0.serviceHeader',
      /serviceHeader/,
    ],
    ['a null', { ...good, aclName: null }, 'aclName', /is null/],
    ['an unknown choice', { ...good, balance: 'random' }, 'balance', /is "random"/],
  ];
  for (const [what, document, label, message] of wrong) {
    it(`names ${what}`, () => {
      const checked = checkDefinition(document, place);
      expect(checked.ok).to.equal(false);
      if (checked.ok) return;
      expect(checked.problems[0]?.label).to.equal(label);
      expect(checked.problems[0]?.message).to.match(message);
      expect(checked.problems[0]?.severity).to.equal('error');
    });
  }

  it('never shows a password in plain text', () => {
    const checked = checkDefinition({ ...good, users: [{ username: 'jane', passwordHash: 'hush' }] }, place);
    expect(checked.ok).to.equal(false);
    expect(JSON.stringify(checked)).to.not.include('hush');
  });

  it('never shows the value of a header rule, which may be a credential', () => {
    const rule = { name: 'Authorization', value: 'Basic hush\r\n' };
    for (const label of ['addReqHeader', 'setReqHeader', 'addResHeader', 'setResHeader']) {
      const checked = checkDefinition({ ...good, [label]: [rule] }, place);
      expect(checked.ok).to.equal(false);
      expect(JSON.stringify(checked)).to.not.include('hush');
    }
  });

  it('never throws', () => {
    const keys = fc.constantFrom(...Object.keys(good), 'users', 'index', 'since', 'servicePath', 'port', '__proto__');
    const json = fc.oneof(
      fc.jsonValue(),
      fc.dictionary(keys, fc.jsonValue()),
      fc.record({ destinations: fc.array(fc.dictionary(keys, fc.jsonValue())) }),
    );
    fc.assert(
      fc.property(json, (value) => {
        checkDefinition(value, place);
        checkDefinition({ ...good, ...(typeof value === 'object' ? value : {}) }, place);
        checkEndpoints(value, place);
      }),
      { numRuns: 300, seed: 20260102 },
    );
  });
});

describe('checkEndpoints', () => {
  const endpoints = {
    version: 1,
    ...place,
    dnsName: 'stack_go-demo',
    tasks: [{ taskId: 't1', nodeId: 'n1', state: 'active', addresses: ['10.0.1.5/24', 'fd00::5/64'] }],
    published: [{ host: '192.168.0.1', port: 8000, targetPort: 80 }],
    vip: '10.0.1.2/24',
    network: 'proxy',
  };

  it('takes what we write', () => {
    expect(checkEndpoints(endpoints, place)).to.deep.equal({ ok: true, endpoints });
  });

  const task = endpoints.tasks[0];
  const good = { ...task, taskId: 't2', addresses: ['10.0.1.6/24'] };
  const partly: readonly (readonly [string, object, string, object])[] = [
    [
      'an address without its prefix length',
      { tasks: [{ ...task, addresses: ['10.0.1.5', 'fd00::5/64'] }, good] },
      'tasks.0.addresses.0',
      { tasks: [{ ...task, addresses: ['fd00::5/64'] }, good] },
    ],
    ['a task without an id', { tasks: [{ ...task, taskId: '' }, good] }, 'tasks.0.taskId', { tasks: [good] }],
    ['a task that is none', { tasks: [null, good] }, 'tasks.0', { tasks: [good] }],
    ['an id with a line break', { tasks: [{ ...task, taskId: 'a\nb' }, good] }, 'tasks.0.taskId', { tasks: [good] }],
    [
      'a published host with a NUL',
      { published: [{ host: '10.0.0.1\0', port: 1, targetPort: 1 }, endpoints.published[0]] },
      'published.0.host',
      { published: endpoints.published },
    ],
  ];
  for (const [what, given, label, expected] of partly) {
    it(`leaves out ${what}, and keeps the rest`, () => {
      const checked = checkEndpoints({ ...endpoints, ...given }, place);
      expect(checked).to.have.nested.property('warnings[0].label', label);
      expect(checked).to.have.nested.property('warnings[0].reason', 'endpoint-unusable');
      expect(checked.ok && checked.endpoints).to.deep.equal({ ...endpoints, ...expected });
    });
  }

  for (const [given, isRestricted] of [
    [true, true],
    ['yes', true],
    [null, false],
    [false, false],
  ] as const)
    it(`takes tasksOnly=${JSON.stringify(given)} for ${isRestricted ? 'a restriction' : 'none'}`, () => {
      const checked = checkEndpoints({ ...endpoints, tasksOnly: given }, place);
      expect(checked.ok && checked.endpoints.tasksOnly === true).to.equal(isRestricted);
    });

  const whole: readonly (readonly [string, object])[] = [
    ['a DNS name with a NUL', { dnsName: 'go\0demo' }],
    ['a DNS name with a blank', { dnsName: 'go demo' }],
    ['a DNS name of 254 characters', { dnsName: 'x'.repeat(254) }],
    ['tasks that are no list', { tasks: {} }],
    ['another version', { version: 2 }],
    ['another service', { service: 'other' }],
  ];
  for (const [what, given] of whole) {
    it(`refuses ${what}`, () => {
      expect(checkEndpoints({ ...endpoints, ...given }, place)).to.have.property('ok', false);
    });
  }
});
