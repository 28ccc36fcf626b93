import { readSettings } from '@swarmgate/runtime';
import { expect } from 'chai';
import { routeHandlers } from './route-handlers.ts';

describe('which router serves HTTP', () => {
  const cases: readonly (readonly [env: Record<string, string>, throughExpress: boolean])[] = [
    [{}, false],
    [{ HTTP_ROUTER: 'express' }, true],
    [{ LANE: 'express' }, true],
    [{ LANE: 'raw' }, false],
    [{ LANE: 'express', HTTP_ROUTER: 'core' }, false],
  ];
  for (const [env, throughExpress] of cases)
    it(`is ${throughExpress ? 'Express' : 'the core one'} with ${JSON.stringify(env)}`, async () => {
      const settings = readSettings('proxy', { env, secretsDir: '/nowhere' });
      expect('handlerOf' in (await routeHandlers(settings, undefined))).to.equal(throughExpress);
    });
});
