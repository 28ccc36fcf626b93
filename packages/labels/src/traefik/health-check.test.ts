import { expect } from 'chai';
import { one, router } from '../../test/traefik-services.ts';

describe('a health check of Traefik', () => {
  // [what it is, options behind `healthcheck.`, whether it is made]
  const cases = [
    ['a path', {}, true],
    ['HEAD', { method: 'HEAD' }, true],
    ['a status that GET could have', { status: '204' }, true],
    ['the port of the service', { port: '80' }, true],
    ['the scheme of the service, and nothing else', { scheme: 'http', mode: 'http', hostname: '' }, true],
    ['a timeout and no redirects', { timeout: '3s', followredirects: 'false' }, true],
    ['another port', { port: '9090' }, false],
    ['another scheme', { scheme: 'https' }, false],
    ['another method', { method: 'POST' }, false],
    ['a status that is refused', { status: '401' }, false],
    ['a host of its own', { hostname: 'health.example' }, false],
    ['gRPC', { mode: 'grpc' }, false],
    ['a field', { 'headers.Authorization': 'Bearer a' }, false],
  ] as const;
  for (const [what, given, isMade] of cases)
    it(`with ${what} is ${isMade ? 'made' : 'a problem, and not made: tasks that are well would fail another'}`, () => {
      const options = Object.entries({ path: '/health', interval: '2s', ...given });
      const labels = options.map(([key, value]) => [`services.web.loadbalancer.healthcheck.${key}`, value]);
      const { destinations, problems } = one({ ...router, ...Object.fromEntries(labels) });
      expect(destinations).to.have.length(1);
      expect(destinations[0]?.checkPath).to.equal(isMade ? '/health' : undefined);
      expect(destinations[0]?.checkIntervalMs).to.equal(isMade ? 2_000 : undefined);
      expect(problems.map(({ severity, reason }) => `${severity} ${reason}`)).to.deep.equal(
        isMade ? [] : ['warning label-not-honoured'],
      );
      expect(JSON.stringify(problems)).to.not.contain('Bearer');
    });

  it('is none without a path', () => {
    const { destinations, problems } = one({ ...router, 'services.web.loadbalancer.healthcheck.interval': '2s' });
    expect(destinations[0]).to.not.have.any.keys('checkPath', 'checkIntervalMs');
    expect(problems).to.deep.equal([]);
  });
});
