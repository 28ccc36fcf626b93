import type { MaintenanceDocument, ServiceDefinition } from '@swarmgate/registry';
import { expect } from 'chai';
import { exchangeOf, routeOf } from '../../../test/middleware-fixture.ts';
import type { ServedService } from '../../model/served-service.ts';
import { grpcWeb } from '../grpc-web.ts';
import { proceed } from '../local-responses.ts';
import type { Middleware } from '../middleware.ts';
import { withMaintenance } from './maintenance.ts';
import { downOf, MaintenanceInForce, pageFor } from './maintenance-in-force.ts';
import { maintenanceResponse } from './maintenance-response.ts';

const nowMs = Date.parse('2026-01-02T03:00:00Z');
const at = (ms: number) => new Date(nowMs + ms).toISOString();
const set = { by: 'a test', since: at(-1_000) };

function document(maintenance: Partial<NonNullable<MaintenanceDocument['maintenance']>>): MaintenanceDocument {
  return { version: 1, owner: 'swarm', service: 'go-demo', maintenance: { ...set, ...maintenance } };
}

describe('a service in maintenance', () => {
  const down: Partial<ServiceDefinition> = { maintenance: true, maintenanceMessage: 'by label' };
  // [labels, what an operator set, client, the message that responds to it]
  const cases: readonly (readonly [string, Partial<ServiceDefinition>, MaintenanceDocument | undefined, string])[] = [
    ['nothing is set', {}, undefined, 'passes'],
    ['the label is false', { maintenance: false }, undefined, 'passes'],
    ['the label is true', down, undefined, 'by label'],
    ['only drains are set', {}, { version: 1, owner: 'swarm', service: 'go-demo' }, 'passes'],
    ['an operator set it', {}, document({ message: 'by hand' }), 'by hand'],
    ['both are set', down, document({ message: 'by hand' }), 'by hand'],
    ['the operator’s end is ahead', {}, document({ until: at(1), message: 'by hand' }), 'by hand'],
    ['the operator’s end has come', {}, document({ until: at(0), message: 'by hand' }), 'passes'],
    ['the operator’s has ended, the label stays', down, document({ until: at(-1), message: 'by hand' }), 'by label'],
    ['the client is excepted', {}, document({ except: ['192.0.2.0/24'] }), 'passes'],
    ['another client is excepted', {}, document({ except: ['192.0.3.0/24'], message: 'by hand' }), 'by hand'],
    ['the label excepts the client', { ...down, maintenanceExcept: ['192.0.2.7/32'] }, undefined, 'passes'],
    [
      'only the label excepts it',
      { ...down, maintenanceExcept: ['192.0.2.7/32'] },
      document({ message: 'by hand' }),
      'by hand',
    ],
  ];
  for (const [what, labels, given, expected] of cases)
    it(`${what}: ${expected}`, () => {
      const found = downOf(routeOf(labels).definition, given);
      const page = found === undefined ? undefined : pageFor(found, '192.0.2.7', nowMs);
      expect(page === undefined ? 'passes' : page.message).to.equal(expected);
    });

  it('is forgotten with the service', () => {
    const inForce = new MaintenanceInForce();
    const { definition } = routeOf(down);
    const served: ServedService = {
      key: 'swarm/go-demo',
      definition,
      endpoints: undefined,
      origin: 'registry',
      addressesFresh: true,
    };
    inForce.apply(new Map([['swarm/go-demo', served]]));
    expect(inForce.of('swarm/go-demo')).to.not.equal(undefined);
    inForce.apply(new Map([['swarm/go-demo', undefined]]));
    expect(inForce.of('swarm/go-demo')).to.equal(undefined);
  });
});

describe('the response of a service in maintenance', () => {
  const page = (more: object = {}) => ({ untilMs: Number.POSITIVE_INFINITY, isExcepted: () => false, ...more });
  const of = (more: object, accept?: string) => {
    const { headers = [], body, ...rest } = maintenanceResponse(page(more), accept, nowMs);
    return { ...rest, body, headers: Object.fromEntries(headers.map((name, n) => [name, headers[n + 1]])) };
  };

  for (const [given, seconds] of [
    [{}, '120'],
    [{ retryAfterMs: 7_000 }, '7'],
    [{ untilMs: nowMs + 90_001 }, '91'],
    [{ untilMs: nowMs + 1 }, '1'],
    [{ untilMs: nowMs + 90_000, retryAfterMs: 5_000 }, '5'],
  ] as const)
    it(`sends Retry-After: ${seconds} for ${JSON.stringify(given)}`, () => {
      expect(of(given).headers).to.include({ 'Retry-After': seconds, 'Cache-Control': 'no-store' });
    });

  for (const [accept, type] of [
    [undefined, 'text/plain'],
    ['*/*', 'text/plain'],
    ['application/json', 'text/plain'],
    ['text/html', 'text/html'],
    ['text/html,application/xhtml+xml,*/*;q=0.8', 'text/html'],
    ['text/plain,text/html;q=0.9', 'text/plain'],
    ['text/html;q=0', 'text/plain'],
    ['text/html;q=0.1,*/*;q=0.5', 'text/plain'],
    ['html', 'text/plain'],
  ] as const)
    it(`is ${type} for ${accept ?? 'no Accept'}`, () => {
      expect(of({ page: '<p>ours' }, accept)).to.deep.include({
        status: 503,
        reason: 'maintenance',
        body: type === 'text/html' ? '<p>ours' : 'the service is down for maintenance\n',
      });
      expect(of({}, accept).headers['Content-Type']).to.equal(`${type}; charset=utf-8`);
    });

  it('shows a message as text in the page', () => {
    expect(of({ message: '<img onerror="x">' }, 'text/html').body).to.include(
      '<p>&#60;img onerror=&#34;x&#34;&#62;</p>',
    );
  });
});

describe('the step of maintenance', () => {
  const other: Middleware = { name: 'other', onRequest: () => proceed };
  const route = routeOf();
  const down = downOf(route.definition, document({}));

  for (const [steps, expected] of [
    [[], ['maintenance']],
    [[other], ['maintenance', 'other']],
    [
      [grpcWeb, other],
      ['grpcWeb', 'maintenance', 'other'],
    ],
    [[grpcWeb], ['grpcWeb', 'maintenance']],
  ] as const)
    it(`makes ${steps.map(({ name }) => name).join(', ') || 'no steps'} to ${expected.join(', ')}`, () => {
      const found = withMaintenance(
        () => steps,
        () => down,
      )(route);
      expect(found.map(({ name }) => name)).to.deep.equal(expected);
    });

  it('comes and goes without new steps of the route, and is made once', () => {
    let present = down;
    const steps = [other];
    const stepsOf = withMaintenance(
      () => steps,
      () => present,
    );
    expect(stepsOf(route)).to.equal(stepsOf(route));
    present = undefined;
    expect(stepsOf(route)).to.equal(steps);
    present = downOf(route.definition, document({ message: 'another' }));
    const [step] = stepsOf(route);
    const decision = step?.onRequest?.(exchangeOf(route));
    expect(decision).to.have.nested.property('response.body', 'another\n');
  });
});
