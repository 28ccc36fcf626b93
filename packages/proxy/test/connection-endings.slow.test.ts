import { dearEndingKinds, endingKinds } from './endings/ending-kinds.ts';
import { itLetsGoOfEveryConnection } from './endings/endings-suite.ts';

// With a thousand of each kind: test/integration/proxy/connection-endings.test.ts.
const each = { leaving: 20, staying: 20 };

const servers = {
  'the server': {},
  'the Express server': { HTTP_ROUTER: 'express' },
};

for (const [what, env] of Object.entries(servers))
  describe(`${what} lets go of every connection`, function () {
    this.timeout(120_000);
    itLetsGoOfEveryConnection({ env, kinds: [...endingKinds, ...dearEndingKinds], ...each });
  });
