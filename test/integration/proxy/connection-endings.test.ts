import { endingKinds } from '../../../packages/proxy/test/endings/ending-kinds.ts';
import { itLetsGoOfEveryConnection } from '../../../packages/proxy/test/endings/endings-suite.ts';

// The Express router adds nothing that holds connections beyond the exchange: a hundred of each kind show its part.
const routers = [
  { router: 'core', leaving: 1_000, staying: 100 },
  { router: 'express', leaving: 100, staying: 20 },
];

for (const { router, leaving, staying } of routers)
  describe(`the server with the ${router} router lets go of every connection, ${leaving} of each kind`, function () {
    this.timeout(900_000);
    itLetsGoOfEveryConnection({ env: { HTTP_ROUTER: router }, kinds: endingKinds, leaving, staying });
  });
