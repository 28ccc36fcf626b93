import { readSettings } from '@swarmgate/runtime';
import { familiesOf, type SwarmService } from '@swarmgate/swarm-listener/labels';
import { expect } from 'chai';
import { desiredServices } from './desired-services.ts';
import { readCompose } from './read-compose.ts';

const stack = `services:
  web:
    image: web:1
    deploy:
      labels:
        - traefik.enable=true
        - traefik.http.routers.web.rule=Host(\`a.example\`)
        - traefik.http.routers.web.middlewares=office
        - traefik.http.services.web.loadbalancer.server.port=80
`;

const inSwarm = (name: string, labels: Readonly<Record<string, string>>): SwarmService => ({
  id: `id-${name}`,
  name,
  versionIndex: 1,
  createdAt: '2026-01-01T00:00:00Z',
  labels: { 'traefik.enable': 'true', ...labels },
  mode: { kind: 'replicated', replicas: 1 },
  networks: [],
  virtualIps: [],
  ports: [],
});
const office = (range: string) => ({ 'traefik.http.middlewares.office.ipallowlist.sourcerange': range });

describe('services of a stack file', () => {
  const settings = readSettings('cli', { env: { LABELS: 'df,traefik' } });
  const found = (...swarmServices: readonly SwarmService[]) =>
    desiredServices(readCompose('stack.yml', stack, {}), {
      stack: 'shop',
      notifyLabel: settings.notifyLabel,
      serviceNamePrefix: '',
      separator: ',',
      owner: 'swarm',
      nowMs: Date.parse('2026-06-01T00:00:00Z'),
      swarmServices,
      ...familiesOf(settings),
    });
  const middlewares = (...swarmServices: readonly SwarmService[]) =>
    found(...swarmServices).map(({ name, definition }) => [name, definition?.destinations[0]?.middlewares]);

  it('use middlewares of other services of the Swarm, which are none of them', () => {
    expect(middlewares(inSwarm('traefik_traefik', office('10.0.0.0/8')))).to.deep.equal([
      ['shop_web', [{ kind: 'ipAllowList', sourceRange: ['10.0.0.0/8'] }]],
    ]);
    expect(middlewares()).to.deep.equal([
      ['shop_web', [{ kind: 'unsupported', name: 'office', why: 'no service of this Swarm defines it' }]],
    ]);
  });

  it('take nothing from what runs under their own name, nor from what is not for Traefik', () => {
    const own = inSwarm('shop_web', office('10.0.0.0/8'));
    const off = inSwarm('off', { ...office('10.0.0.0/8'), 'traefik.enable': 'false' });
    expect(middlewares(own, off)).to.deep.equal(middlewares());
  });

  it('are as old as what runs under their name: of two equal names that of the older service holds', () => {
    const taken = inSwarm('other', {
      'traefik.http.routers.web.rule': 'Host(`b.example`)',
      'traefik.http.services.other.loadbalancer.server.port': '80',
    });
    const reasons = (...swarmServices: readonly SwarmService[]) =>
      found(inSwarm('traefik_traefik', office('10.0.0.0/8')), taken, ...swarmServices)[0]?.problems.map(
        ({ reason }) => reason,
      );
    expect(reasons()).to.deep.equal(['traefik-name-taken']);
    expect(reasons({ ...inSwarm('shop_web', {}), createdAt: '2025-01-01T00:00:00Z' })).to.deep.equal([]);
  });
});
