import type { Destination } from '@swarmgate/labels';
import { readSettings } from '@swarmgate/runtime';
import { familiesOf } from '@swarmgate/swarm-listener';
import { expect } from 'chai';
import fc from 'fast-check';
import { parseDocument } from 'yaml';
import { convertStack } from '../../../packages/cli/src/compose/convert-stack.ts';
import { type DesiredService, desiredServices } from '../../../packages/cli/src/compose/desired-services.ts';
import { readCompose } from '../../../packages/cli/src/compose/read-compose.ts';
import { labelSets } from '../../traefik/label-sets.ts';

const settings = readSettings('cli', { env: { LABELS: 'df,traefik', TRAEFIK_EXPOSED_BY_DEFAULT: 'true' } });

declare const stackOfWeb: { services: { web: { deploy: { labels: Record<string, unknown> } } } };

function servicesOf(text: string, stack: string): readonly DesiredService[] {
  return desiredServices(readCompose('stack.yml', text, {}), {
    stack,
    notifyLabel: settings.notifyLabel,
    serviceNamePrefix: '',
    separator: ',',
    owner: 'swarm',
    nowMs: 7,
    ...familiesOf(settings),
  });
}

/** What a destination requests, apart from what closes it. */
function requested({ index: _, requires: _requires, ...destination }: Destination): unknown {
  const closed = destination.middlewares?.some(({ kind }) => kind === 'unsupported') === true;
  const middlewares = destination.middlewares?.filter(({ kind }) => kind !== 'unsupported') ?? [];
  const { allowedAddresses, ...overrides } = destination.overrides ?? {};
  const isClosed = closed || allowedAddresses?.join() === '255.255.255.255/32';
  const addresses = isClosed ? { isClosed } : { allowedAddresses };
  return { ...destination, middlewares, overrides: { ...overrides, ...addresses } };
}

describe('converting a stack with labels of Traefik', () => {
  for (const { id, file, stack, problems } of labelSets)
    it(`${id}: requests the same in labels of our own`, () => {
      const before = servicesOf(file, stack);
      const { text, unsaid } = convertStack(file, before);
      const after = servicesOf(text, stack);
      for (const { composeName, definition } of before) {
        const converted = after.find((service) => service.composeName === composeName);
        expect(converted?.problems.filter(({ severity }) => severity === 'error') ?? []).to.deep.equal([]);
        expect(converted?.definition?.destinations.map(requested), composeName).to.deep.equal(
          definition?.destinations.map(requested),
        );
        const isClosed = definition?.destinations.some(({ middlewares = [] }) =>
          middlewares.some(({ kind }) => kind === 'unsupported'),
        );
        if (isClosed === true) expect(unsaid.map(({ service }) => service)).to.include(composeName);
      }
      const misplaced = problems.filter(({ what }) => what.startsWith('labels of the container'));
      for (const { service } of misplaced) {
        const remarks = unsaid.filter((each) => each.service === service).map(({ what }) => what);
        expect(remarks.join()).to.include('labels of its containers').and.include('Traefik ignores in Swarm mode');
      }
    });

  it('writes quotes around what Docker would read as no text: YAML 1.1 knows more words and numbers than 1.2', () => {
    const labels = [
      ['traefik.http.routers.web.rule', 'Host(`a.example`)'],
      ['traefik.http.routers.web.observability.accesslogs', 'false'],
      ['traefik.http.services.web.loadbalancer.server.port', '80'],
      ...['off', 'Yes', 'n', '1:30', '1_000', '0b11', '2001-12-14', '='].map((value, at) => [`other.${at}`, value]),
    ];
    const list = labels.map(([name, value]) => `        - ${name}=${value}\n`).join('');
    const file = `services:\n  web:\n    image: a\n    environment: { DEBUG: off }\n    deploy:\n      labels:\n${list}`;
    const { text } = convertStack(file, servicesOf(file, 'shop'));
    const read = parseDocument(text, { version: '1.1' }).toJS() as typeof stackOfWeb;
    for (const [name, value] of Object.entries(read.services.web.deploy.labels)) expect(value, name).to.be.a('string');
    expect(read.services.web.deploy.labels).to.include({ 'com.df.accessLog.1': 'off', 'other.3': '1:30' });
    // All other lines stay as they are.
    expect(text).to.include('{ DEBUG: off }');
  });

  it('requests the same of whatever routers, services and middlewares', () => {
    const host = fc.constantFrom('Host(`a.example`)', 'HostRegexp(`^[a-z]+\\.b\\.example$$`)', '!Host(`a.example`)');
    const other = fc.constantFrom(
      'PathPrefix(`/a`)',
      'Path(`/`)',
      'Method(`GET`)',
      'Header(`X-A`, `b,c`)',
      'Query(`q`, `1`)',
    );
    const rule = fc.tuple(host, fc.constantFrom('&&', '||'), other).map((parts) => parts.join(' '));
    const middleware = fc.constantFrom(
      'stripprefix.prefixes=/a, /b',
      'addprefix.prefix=/c',
      'ipallowlist.sourcerange=10.0.0.0/8,192.0.2.1',
      'headers.customrequestheaders.X-A=one, "two"',
      'headers.customresponseheaders.X-B=',
      'redirectregex.regex=^http://a/(.*)$$,redirectregex.replacement=https://b/$${1}',
      'replacepathregex.regex=^/(.*),replacepathregex.replacement=/x/$$1',
      'ratelimit.average=10,ratelimit.burst=5,ratelimit.period=1m',
      'inflightreq.amount=3',
      'basicauth.users=jane:$$apr1$$lZL6V/ci$$MkgHeUZg.IVGcx3pyPc4.1',
      'compress=true',
      'retry.attempts=2',
      'digestauth.users=x',
    );
    const router = fc.record({
      rule,
      entrypoints: fc.constantFrom('web', 'websecure', 'web,websecure', undefined),
      priority: fc.constantFrom('1', '90', undefined),
      tls: fc.constantFrom('true', undefined),
      middlewares: fc.constantFrom('m0', 'm1,m0', 'gone', undefined),
    });
    const options = fc.constantFrom(
      'sticky.cookie.name=lb',
      'healthcheck.path=/h',
      'passhostheader=false',
      'server.scheme=https',
    );
    const stack = fc.record({
      routers: fc.array(router, { minLength: 1, maxLength: 4 }),
      middlewares: fc.tuple(middleware, middleware),
      options: fc.option(options, { nil: undefined }),
    });
    let open = 0;
    const property = fc.property(stack, ({ routers, middlewares, options: more }) => {
      const lines = [
        'traefik.enable=true',
        'traefik.http.services.web.loadbalancer.server.port=80',
        ...(more === undefined ? [] : [`traefik.http.services.web.loadbalancer.${more}`]),
        ...routers.flatMap((given, at) =>
          Object.entries(given).flatMap(([key, value]) =>
            value === undefined ? [] : [`traefik.http.routers.r${at}.${key}=${value}`],
          ),
        ),
        ...middlewares.flatMap((given, at) =>
          given.split(/,(?=[a-z]+\.)/).map((each) => `traefik.http.middlewares.m${at}.${each}`),
        ),
      ];
      const file = `services:\n  web:\n    image: web\n    deploy:\n      labels:\n${lines.map((line) => `        - ${JSON.stringify(line)}\n`).join('')}`;
      const before = servicesOf(file, 'shop');
      const { text } = convertStack(file, before);
      const shown = (services: readonly DesiredService[]) => services[0]?.definition?.destinations.map(requested);
      const destinations = before[0]?.definition?.destinations ?? [];
      open += destinations.filter(({ middlewares: its = [] }) =>
        its.every(({ kind }) => kind !== 'unsupported'),
      ).length;
      expect(shown(servicesOf(text, 'shop')), text).to.deep.equal(shown(before));
    });
    fc.assert(property, { seed: 15, numRuns: 300 });
    expect(open).to.be.above(300);
  });

  it('keeps comments, other labels and all else of the file', () => {
    const file = `# ours
services:
  web: # the shop
    image: web:1
    deploy:
      replicas: 2
      labels:
        - other=1
        - traefik.enable=true
        - traefik.http.routers.web.rule=Host(\`a.example\`)
        - traefik.http.services.web.loadbalancer.server.port=80
  db:
    image: db
`;
    const { text, unsaid } = convertStack(file, servicesOf(file, 'shop'));
    expect(text).to.include('# ours').and.include('# the shop').and.include('other: "1"').and.include('image: db');
    expect(text).to.include('com.df.rule.1: Host(`a.example`)').and.not.include('traefik');
    expect(unsaid).to.deep.equal([]);
  });
});
