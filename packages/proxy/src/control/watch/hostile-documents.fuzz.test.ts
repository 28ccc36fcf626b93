import { checkDefinition, checkEndpoints, type ServiceDefinition, type Stored } from '@swarmgate/registry';
import {
  completeDefinition,
  completeEndpoints,
  hostileRuns,
  hostileTexts,
  mutationsOf,
  textOf,
} from '@swarmgate/registry/test/hostile-documents';
import { readSettings, silentLogger } from '@swarmgate/runtime';
import { fuzzRuns } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import fc from 'fast-check';
import { definition, delta, endpoints, good, snapshot } from '../../../test/registered.ts';
import { Upstreams } from '../../endpoints/upstreams.ts';
import { createMiddleware } from '../../middleware/compile-middleware.ts';
import { createRouteTable } from '../../routing/create-route-table.ts';
import { normalizeHost } from '../../routing/normal-host.ts';
import { readRequestTarget } from '../../routing/path-readings.ts';
import { readMessage } from '../bus/message.ts';
import { readTotals, windowsOf } from '../numbers/replica-totals.ts';
import { ServedServices } from './served-services.ts';

const seed = 20_260_102;
const runs = hostileRuns.served;

describe('a document of one service, whatever stands in it', function () {
  this.timeout(120_000);
  const settings = readSettings('proxy', { env: {}, secretsDir: '/nonexistent' });
  const middleware = createMiddleware({ settings, env: {}, logger: silentLogger, secretsDir: '/nonexistent' });
  after(() => middleware.stop());

  const hostile = { owner: 'swarm', service: 'hostile' };
  const neighbour = definition('swarm/neighbour', '/neighbour');
  const beside = endpoints('swarm/neighbour', '10.0.1.50/24');
  const target = (path: string, host = 'any.example') => {
    const split = readRequestTarget(path, 'keep');
    const normal = normalizeHost(host);
    if (!split.ok || !normal.ok) throw new Error(`${host}${path}`);
    return { host: normal.host, path: split.path, method: 'GET', port: 80, header: () => undefined };
  };

  /** As `readDocument` gives it. */
  function stored<T>(check: { readonly ok: boolean }, document: T | undefined, index: number): Stored<T> {
    return check.ok && document !== undefined
      ? { ok: true, document, index }
      : { ok: false, problems: (check as Extract<Stored<T>, { ok: false }>).problems, index, raw: '' };
  }

  const texts = (document: object) =>
    fc.oneof(
      { weight: 50, arbitrary: mutationsOf(document).map((mutated) => textOf(mutated) ?? 'null') },
      { weight: 1, arbitrary: fc.constantFrom(...hostileTexts.filter((text) => text.length < 100_000)) },
    );
  const parsed = (text: string): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      return undefined;
    }
  };

  it('is served or set aside, and no other service notices', () => {
    let served = 0;
    fc.assert(
      fc.property(
        texts(completeDefinition('swarm', 'hostile')),
        texts(completeEndpoints('swarm', 'hostile')),
        (definitionText, endpointsText) => {
          const all = new ServedServices([]);
          const checked = checkDefinition(parsed(definitionText), hostile);
          const checkedEndpoints = checkEndpoints(parsed(endpointsText), hostile);
          all.absorb(snapshot({ services: [['swarm/neighbour', good(neighbour)]] }), { epochMs: 1, uptimeMs: 1 });
          all.absorb(
            delta(
              2,
              [['swarm/hostile', stored<ServiceDefinition>(checked, checked.ok ? checked.definition : undefined, 2)]],
              [
                ['swarm/neighbour', good(beside)],
                [
                  'swarm/hostile',
                  stored(checkedEndpoints, checkedEndpoints.ok ? checkedEndpoints.endpoints : undefined, 2),
                ],
              ],
            ),
            { epochMs: 2, uptimeMs: 2 },
          );
          const { changes } = all.settle();
          const upstreams = new Upstreams({
            swarmName: 'swarm',
            subnets: () => ['10.0.1.7/24', 'fd00::7/64'],
            dockerNames: true,
            names: { resolve: () => ({ kind: 'pending' }), peek: () => ({ kind: 'pending' }) } as never,
          });
          upstreams.apply(changes);
          const table = createRouteTable({
            order: 'strict',
            instanceName: 'swarmgate',
            filterInstanceName: false,
          }).with(new Map([...changes].map(([key, each]) => [key, each?.definition])));
          table.problems();
          for (const route of table.routesOf('swarm/hostile')) {
            served += 1;
            middleware.middlewareOf(route);
            for (const { host, port } of upstreams.of(route).endpoints) {
              expect(host).to.match(/^[A-Za-z0-9._:%[\]-]+$/);
              expect(port).to.be.within(1, 65_535);
            }
          }
          table.lookup(target('/hostile', 'hostile.example'));
          table.explain(target('/hostile', 'hostile.example'));
          const found = table.lookup(target('/neighbour'));
          expect(found?.key).to.equal('swarm/neighbour');
          expect(found === undefined ? [] : upstreams.of(found).endpoints.map(({ host }) => host)).to.deep.equal([
            '10.0.1.50',
          ]);
        },
      ),
      fuzzRuns(runs.documents, seed),
    );
    expect(served).to.be.greaterThan(runs.documents / 10);
  });

  for (const hint of [
    { kind: 'sequence', registryId: 'r', sequence: 5 },
    { kind: 'ejected', endpointId: 'task-1' },
    { kind: 'traffic', requestsPerSecond: 1.5, inFlight: 2 },
  ])
    it(`is no message of a replica either: ${hint.kind}`, () => {
      const message = { version: 1, sender: 's', replica: 'one', hint };
      let usable = 0;
      fc.assert(
        fc.property(texts(message), (text) => {
          const read = readMessage(text);
          if (read === undefined) return;
          usable += 1;
          expect(read.replica).to.match(/^[A-Za-z0-9._-]+$/);
          const { kind, ...values } = read.hint;
          expect(kind).to.be.oneOf(['sequence', 'ejected', 'traffic']);
          for (const value of Object.values(values))
            if (typeof value === 'number') expect(value).to.be.within(0, Number.MAX_SAFE_INTEGER);
            else expect(value.length).to.be.within(1, 256);
        }),
        fuzzRuns(runs.messages, seed),
      );
      expect(usable).to.be.greaterThan(runs.messages / 20);
    });

  it('is no count of a replica that cannot be added up', () => {
    const window = { cells: [12, 3, 40, 1], bytes: [10, 20], reasons: { 'no-route': 2 } };
    const totals = {
      replica: 'one',
      at: '2026-01-02T03:04:05.000Z',
      complete: true,
      inFlight: 1,
      seconds: { lastMinute: 60, last15Minutes: 900, sinceStart: 1_000 },
      services: {
        'swarm/a': { inFlight: 1, lastMinute: window, last15Minutes: window, sinceStart: window },
        '': { inFlight: 0 },
      },
    };
    let usable = 0;
    fc.assert(
      fc.property(texts(totals), (text) => {
        const read = readTotals(text);
        if (read === undefined) return;
        usable += 1;
        const steps = windowsOf(read);
        let step = steps.next();
        while (step.done !== true) step = steps.next();
        for (const { seconds, counts } of Object.values(step.value)) {
          expect(seconds).to.be.greaterThan(0);
          for (const each of counts.values()) expect(each.requests).to.be.at.least(0);
        }
      }),
      fuzzRuns(runs.totals, seed),
    );
    expect(usable).to.be.greaterThan(runs.totals / 20);
  });
});
