import type { Destination } from '@swarmgate/labels';
import { readSettings } from '@swarmgate/runtime';
import { familiesOf } from '@swarmgate/swarm-listener';
import { expect } from 'chai';
import { convertStack } from '../../../packages/cli/src/compose/convert-stack.ts';
import { type DesiredService, desiredServices } from '../../../packages/cli/src/compose/desired-services.ts';
import { readCompose } from '../../../packages/cli/src/compose/read-compose.ts';
import { labelSets } from '../../traefik/label-sets.ts';

const settings = readSettings('cli', { env: { LABELS: 'df,traefik', TRAEFIK_EXPOSED_BY_DEFAULT: 'true' } });

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
  for (const { id, file, stack } of labelSets)
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
