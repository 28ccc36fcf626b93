import type { ServiceDefinition } from '@swarmgate/registry';
import { expect } from 'chai';
import { eventually, type ProxyUnderTest, startProxyUnderTest } from '../../../test/running-proxy.ts';

const reconfigure = '/v1/docker-flow-proxy/reconfigure';
const shop = 'serviceName=shop&servicePath=/shop&port=8080&outboundHostname=10.0.0.7';

function swarmDefinition(service: string, path: string): ServiceDefinition {
  return {
    version: 1,
    service,
    owner: 'swarm',
    source: { kind: 'swarm', swarmId: 's', serviceId: service, versionIndex: 1 },
    updatedAt: '2026-01-01T00:00:00.000Z',
    destinations: [{ index: 0, since: 1_000, servicePath: [path], port: 8080, outboundHostname: '10.0.0.9' }],
  };
}

describe('changes by REST', () => {
  let under: ProxyUnderTest;
  const publish = (definition: ServiceDefinition) =>
    under.registry.publish([{ owner: 'swarm', service: definition.service, definition: { document: definition } }], {
      by: 'test',
      signal: under.signal,
    });
  const served = async (service: string) => {
    const { body } = await under.call('GET', '/v1/routes');
    return (body.routes as { service: string; owner: string }[]).filter((route) => route.service === service);
  };

  before(async () => {
    under = await startProxyUnderTest({ replica: 'one' });
    await eventually('the proxy is ready', () => under.proxy.ready());
  });
  after(() => under.stop());

  it('serves a reconfigured service when it responds, in Docker Flow’s shape', async () => {
    const { status, body } = await under.call('GET', `${reconfigure}?${shop}`);
    expect(status).to.equal(200);
    expect(body).to.include({ Status: 'OK', Message: 'Distributed to all instances', ServiceName: 'shop' });
    expect(body.serving).to.deep.equal(['one']);
    expect(await served('shop')).to.have.length(1);
  });

  it('keeps it in the registry under owner manual', async () => {
    const read = await under.registry.read(under.signal);
    if (read.kind !== 'snapshot') throw new Error('no head');
    const stored = read.snapshot.services.get('manual/shop');
    expect(stored?.ok && stored.document.source).to.deep.equal({ kind: 'rest', by: 'REST from 127.0.0.1' });
  });

  it('carries `since` over a change that keeps the match', async () => {
    const sinceOf = async () => {
      const read = await under.registry.read(under.signal);
      const stored = read.kind === 'snapshot' ? read.snapshot.services.get('manual/shop') : undefined;
      return stored?.ok ? stored.document.destinations[0]?.since : undefined;
    };
    const first = await sinceOf();
    await under.call('GET', `${reconfigure}?${shop.replace('8080', '8081')}`);
    expect(await sinceOf()).to.equal(first);
  });

  it('responds to a thousand concurrent changes of one service with 200, and serves the newest', async () => {
    const calls = Array.from({ length: 1_000 }, (_, n) =>
      under.call('GET', `${reconfigure}?serviceName=busy&servicePath=/busy&port=${n + 1}&outboundHostname=10.0.0.7`),
    );
    const responses = await Promise.all(calls);
    expect(new Set(responses.map(({ status }) => status))).to.deep.equal(new Set([200]));
    for (const { body } of responses)
      expect(body.Message).to.match(/^Distributed to all instances(; replaced at once|$)/);
    expect(await served('busy')).to.have.length(1);
    await under.call('GET', '/v1/docker-flow-proxy/remove?serviceName=busy');
  });

  it('writes again over the change of another writer in between', async () => {
    await under.call('GET', `${reconfigure}?serviceName=shared&servicePath=/shared&port=1&outboundHostname=10.0.0.7`);
    for (let port = 2; port < 12; port += 1) {
      const document = { ...swarmDefinition('shared', '/shared'), owner: 'manual' };
      const [response] = await Promise.all([
        under.call(
          'GET',
          `${reconfigure}?serviceName=shared&servicePath=/shared&port=${port}&outboundHostname=10.0.0.7`,
        ),
        under.registry.publish([{ owner: 'manual', service: 'shared', definition: { document } }], {
          by: 'another replica',
          signal: under.signal,
        }),
      ]);
      expect(response.status, String(response.body.Message)).to.equal(200);
    }
    await under.call('GET', '/v1/docker-flow-proxy/remove?serviceName=shared');
  });

  const refusals = [
    ['servicePath=/x&port=80', 400, 'serviceName'],
    ['port=80', 400, 'serviceName'],
    ['serviceName=x&port=80', 409, 'servicePath'],
    ['serviceName=x', 409, 'servicePath'],
    ['serviceName=x&httpsPort=443', 409, 'servicePath'],
    ['serviceName=x&port=80&httpsOnly=perhaps', 409, 'servicePath'],
    ['serviceName=x&servicePath=/x&httpsPort=443', 400, 'port'],
    ['serviceName=x&reqMode=tcp&port=80', 400, 'srcPort'],
    ['serviceName=x&servicePath=/x', 400, 'port'],
    ['serviceName=x&reqMode=tcp', 400, 'srcPort'],
    ['serviceName=x&servicePath=/x&port=80&httpsOnly=perhaps', 400, 'httpsOnly'],
    ['serviceName=x/y&servicePath=/x&port=80', 400, 'serviceName'],
  ] as const;
  for (const [query, status, named] of refusals) {
    it(`refuses ${query} with ${status}, names ${named}, keeps nothing`, async () => {
      const response = await under.call('GET', `${reconfigure}?${query}`);
      expect(response.status).to.equal(status);
      expect(response.body).to.have.property('Status', 'NOK');
      expect(response.body.Message).to.be.a('string').that.includes(named);
      expect(await served('x')).to.have.length(0);
    });
  }

  it('names parameters, not labels, in the response to a query', async () => {
    const refused = await under.call('GET', `${reconfigure}?serviceName=x&servicePath.1=/x`);
    expect(refused.body.problems).to.have.nested.property('[0].suggestion', 'set port.1, such as 8080');
  });

  it('responds with 200 with the reason where the change loses a conflict', async () => {
    await publish(swarmDefinition('older', '/claimed'));
    await eventually('the older one is served', async () => (await served('older')).length === 1);
    const { status, body } = await under.call(
      'GET',
      `${reconfigure}?serviceName=newer&servicePath=/claimed&port=80&outboundHostname=10.0.0.7`,
    );
    expect(status).to.equal(200);
    expect(body.Message).to.be.a('string').that.includes('swarm/older');
    expect(body.problems).to.be.an('array').with.length(1);
    expect(body.problems)
      .to.have.nested.property('[0].suggestion')
      .that.matches(/^Change servicePath of/);
    const { problems } = (await under.call('GET', '/v1/problems')).body;
    const ofNewer = (problems as { service: string; suggestion: string }[]).find(({ service }) => service === 'newer');
    expect(ofNewer?.suggestion).to.match(/^Change servicePath of/);
  });

  it('removes, and says who else publishes the name', async () => {
    await publish(swarmDefinition('twice', '/twice'));
    await under.call('GET', `${reconfigure}?serviceName=twice&servicePath=/by-hand&port=80&outboundHostname=10.0.0.7`);
    const { status, body } = await under.call('GET', '/v1/docker-flow-proxy/remove?serviceName=twice');
    expect(status).to.equal(200);
    expect(body.Message).to.be.a('string').that.includes('swarm publishes twice');
    expect((await served('twice')).map(({ owner }) => owner)).to.deep.equal(['swarm']);
  });

  it('removes an unknown service with 200, and none without a name with 400', async () => {
    expect((await under.call('GET', '/v1/docker-flow-proxy/remove?serviceName=never')).status).to.equal(200);
    expect((await under.call('GET', '/v1/docker-flow-proxy/remove')).status).to.equal(400);
  });

  it('removes by replicas=0', async () => {
    await under.call('GET', `${reconfigure}?${shop}`);
    const { status } = await under.call('GET', `${reconfigure}?${shop}&replicas=0`);
    expect(status).to.equal(200);
    expect(await served('shop')).to.have.length(0);
  });

  it('takes a definition as JSON and shows no password of it anywhere', async () => {
    const body = JSON.stringify({
      service: 'members',
      users: [{ username: 'ann', password: 'open-sesame' }],
      destinations: [{ servicePath: ['/members'], port: 80, outboundHostname: '10.0.0.7' }],
    });
    const headers = { 'content-type': 'application/json' };
    const response = await under.call('POST', '/v1/reconfigure', { headers, body });
    expect(response.status).to.equal(200);
    const seen = await Promise.all(
      ['/v1/docker-flow-proxy/config?type=json', '/v1/docker-flow-proxy/config', '/v1/services', '/v1/routes'].map(
        (path) => under.call('GET', path),
      ),
    );
    for (const { text } of [response, ...seen]) expect(text).to.not.match(/open-sesame|\$scrypt\$/);
    expect(seen[0]?.text).to.include('"Users":[{"Username":"ann","Password":""');
    const read = await under.registry.read(under.signal);
    const stored = read.kind === 'snapshot' ? read.snapshot.services.get('manual/members') : undefined;
    expect(stored?.ok && stored.document.users?.[0]?.passwordHash).to.match(/^\$scrypt\$/);
  });

  describe('a check of a definition', () => {
    const headers = { 'content-type': 'application/json' };
    const call = (path: string, definition: object) =>
      under.call('POST', path, { headers, body: JSON.stringify(definition) });
    const destination = { servicePath: ['/checked'], port: 80, outboundHostname: '10.0.0.7' };

    it('shows what it would come to, writes nothing, and changes no route', async () => {
      await publish(swarmDefinition('earlier', '/checked'));
      await eventually('it is served', async () => (await served('earlier')).length === 1);
      const before = await under.registry.read(under.signal);
      const users = [{ username: 'ann', password: 'open-sesame' }];
      const { status, body, text } = await call('/v1/check', { service: 'late', users, destinations: [destination] });
      expect(status).to.equal(200);
      expect(body).to.include({ Status: 'OK', Message: 'nothing written: the definition can be served' });
      const problems = body.problems as readonly { readonly reason: string; readonly message: string }[];
      expect(problems.map(({ reason }) => reason)).to.deep.equal(['route-conflict']);
      expect(problems[0]?.message).to.match(/matched by swarm\/earlier too, which takes precedence/);
      expect(body.definition).to.deep.include({ service: 'late', owner: 'manual' });
      expect(text).to.not.match(/open-sesame|\$scrypt\$/);
      const after = await under.registry.read(under.signal);
      const sequenceOf = (read: typeof after) => (read.kind === 'snapshot' ? read.snapshot.sequence : undefined);
      expect(sequenceOf(after)).to.equal(sequenceOf(before));
      expect(await served('late')).to.deep.equal([]);
    });

    it('names the owner whose service it would replace', async () => {
      const { body } = await call('/v1/check', { service: 'earlier', destinations: [destination] });
      const warning = 'it would replace what swarm publishes, until it is removed';
      expect(body.warnings).to.deep.equal([warning]);
      expect(body.Message).to.include(warning);
    });

    it('says that a definition with replicas=0 would be removed', async () => {
      const { body } = await call('/v1/check', { service: 'late', replicas: 0, destinations: [destination] });
      expect(body.Message).to.equal('nothing written: with replicas=0 manual/late would be removed');
    });

    for (const [what, definition] of Object.entries({
      'no destination': { service: 'x' },
      'destinations that are a text': { service: 'x', destinations: 'no' },
      'a port out of range': { service: 'x', destinations: [{ ...destination, port: 99_999 }] },
      'an address with a scheme': {
        service: 'x',
        destinations: [{ ...destination, outboundHostname: 'http://10.0.0.7' }],
      },
      'no match': { service: 'x', destinations: [{ port: 80, outboundHostname: '10.0.0.7' }] },
      'a name with a blank': { service: 'bad name', destinations: [destination] },
      'a certificate that is none': {
        service: 'x',
        serviceCert: '-----BEGIN CERTIFICATE-----\nnone',
        destinations: [destination],
      },
    }))
      it(`refuses ${what} as the change itself does`, async () => {
        const [checked, changed] = [await call('/v1/check', definition), await call('/v1/reconfigure', definition)];
        expect(checked.status).to.be.within(400, 409);
        expect([checked.status, checked.body]).to.deep.equal([changed.status, changed.body]);
      });
  });

  it('refuses JSON that is none or no definition', async () => {
    const headers = { 'content-type': 'application/json' };
    expect((await under.call('POST', '/v1/reconfigure', { headers, body: '{' })).status).to.equal(400);
    expect((await under.call('POST', '/v1/reconfigure', { headers, body: '{"service":"x"}' })).status).to.equal(400);
    expect((await under.call('POST', '/v1/reconfigure', { headers, body: '[]' })).status).to.equal(400);
    expect((await under.call('POST', '/v1/reconfigure')).status).to.equal(400);
  });

  it('lists the history and rolls back to an entry of it', async () => {
    const path = (to: string) => `${reconfigure}?serviceName=wiki&servicePath=${to}&port=80&outboundHostname=10.0.0.7`;
    await under.call('GET', path('/one'));
    await under.call('GET', path('/two'));
    const history = await under.call('GET', '/v1/history?service=wiki');
    const [owner] = history.body.owners as { owner: string; entries: { number: number }[] }[];
    expect(owner).to.have.property('owner', 'manual');
    expect(owner?.entries).to.have.length(1);
    const to = owner?.entries[0]?.number;
    const response = await under.call('POST', `/v1/rollback?service=wiki&to=${to}`);
    expect(response.status).to.equal(200);
    expect(await served('wiki'))
      .to.have.nested.property('[0].conditions.servicePath')
      .that.deep.equals(['/one']);
    expect((await under.call('POST', '/v1/rollback?service=wiki&to=99')).status).to.equal(404);
    expect((await under.call('POST', '/v1/rollback?service=wiki&to=two')).status).to.equal(400);
  });

  it('reads everything again on reload', async () => {
    for (const path of [
      '/v1/docker-flow-proxy/reload',
      '/v1/docker-flow-proxy/reload?recreate=true&fromListener=true',
    ]) {
      const { status, body } = await under.call('GET', path);
      expect(status).to.equal(200);
      expect(body.Message).to.be.a('string').that.includes('Distributed to all instances');
    }
  });

  it('counts itself while its session is lost, as after a registry that was wiped', async () => {
    const { store } = under.registry;
    const key = 'swarmgate/proxies/one';
    for (const call of ['/v1/reload?force=true', '/v1/reload', `${reconfigure}?${shop}`]) {
      await eventually('it is listed', async () => (await store.get(key)) !== undefined);
      await store.destroySession((await store.get(key))?.session ?? '');
      const { status, body } = await under.call(call.includes('reconfigure') ? 'GET' : 'POST', call);
      expect(status).to.equal(200);
      expect([body.serving, body.waitingFor], call).to.deep.equal([['one'], []]);
    }
    await eventually('it is listed again', async () => (await store.get(key)) !== undefined);
  });

  it('reloads on every replica, whichever got the request', async () => {
    const second = await startProxyUnderTest({
      registry: under.registry,
      dataDir: `${under.dataDir}/reloaded`,
      replica: 'second',
    });
    try {
      await eventually('both are listed', async () => {
        const { body } = await under.call('GET', '/v1/status');
        return (body.replicas as unknown[]).length === 2;
      });
      const { body } = await under.call('POST', '/v1/reload?force=true');
      expect(body.Message).to.equal('Distributed to all instances');
      expect((body.serving as string[]).toSorted()).to.deep.equal(['one', 'second']);
    } finally {
      await second.stop();
    }
  });

  it('names the replica that does not serve a change in time', async () => {
    const laggard = await under.registry.store.createSession({ name: 'test', ttlMs: 10_000, behavior: 'delete' });
    const key = 'swarmgate/proxies/sleepy';
    const status = { replica: 'sleepy', registryId: 'x', sequence: 0, routes: 0, rejected: 0, version: '0', since: '' };
    await under.registry.store.transact([{ kind: 'lock', key, value: JSON.stringify(status), session: laggard }]);
    const impatient = await startProxyUnderTest({
      registry: under.registry,
      dataDir: `${under.dataDir}/two`,
      replica: 'two',
      env: { BARRIER_TIMEOUT_MS: '300' },
    });
    try {
      await eventually('both are listed', async () => {
        const { body } = await impatient.call('GET', '/v1/status');
        return (body.replicas as unknown[]).length === 3;
      });
      const { status: code, body } = await impatient.call('GET', `${reconfigure}?${shop}`);
      expect(code).to.equal(200);
      expect(body.Message).to.equal('Distributed to 2 of 3 instances, waiting for sleepy');
    } finally {
      await under.registry.store.destroySession(laggard);
      await impatient.stop();
    }
  });
});
