import { itLetsGoOfEveryConnection } from '../../../packages/proxy/test/endings/endings-suite.ts';

for (const [what, env] of Object.entries({ 'the server': {}, 'the Express server': { LANE: 'express' } }))
  describe(`${what} lets go of every connection, a thousand of each kind`, function () {
    this.timeout(900_000);
    itLetsGoOfEveryConnection({ env, leaving: 1_000, staying: 100 });
  });
