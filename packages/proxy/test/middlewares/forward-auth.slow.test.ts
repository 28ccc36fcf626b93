import { expect } from 'chai';
import { authContractCases } from './auth-contract-cases.ts';
import { authRuleCases } from './auth-rule-cases.ts';
import {
  type MiddlewareStage,
  protocols,
  routers,
  type StagedService,
  startService,
  startStage,
} from './middleware-stage.ts';

const cases = [...authContractCases, ...authRuleCases];

for (const router of routers) {
  describe(`forwardAuth, ${router} router`, () => {
    const services: StagedService[] = [];
    let backend: StagedService;
    let stage: MiddlewareStage;

    before(async () => {
      backend = await startService((_call, response) => response.writeHead(200).end('from the service'));
      const routes = [];
      for (const [number, each] of cases.entries()) {
        const auth = await startService(each.auth);
        services.push(auth);
        const labels = Object.fromEntries(
          Object.entries(each.labels).map(([name, value]) => [
            name,
            value.replaceAll('AUTH', `127.0.0.1:${auth.port}`).replaceAll('OWN', '8500'),
          ]),
        );
        routes.push({ host: hostOf(number), port: backend.port, labels });
      }
      stage = await startStage(routes, router, { ADMIN_PORT: '8500' });
    });

    after(async () => {
      await stage.stop();
      for (const each of [...services, backend]) await each.stop();
    });

    for (const [number, each] of cases.entries())
      for (const protocol of each.by ?? protocols)
        it(`${each.what} (${protocol})`, async () => {
          const auth = services[number] as StagedService;
          auth.seen.length = 0;
          backend.seen.length = 0;
          const given = await stage.send(protocol, hostOf(number), each.request);
          each.expect(given, { auth: auth.seen, backend: backend.seen });
        });

    it('counts refusals by reason', async () => {
      const text = await stage.records();
      for (const reason of ['auth-denied', 'auth-sign-in', 'auth-unavailable', 'path-ambiguous'])
        expect(text).to.match(new RegExp(`reason="${reason}"`));
    });
  });
}

const hostOf = (number: number) => `c${number}.example`;
