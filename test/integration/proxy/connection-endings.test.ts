import { itLetsGoOfEveryConnection } from '../../../packages/proxy/test/endings/endings-suite.ts';

// The Express router and the reference server of HTTP/2 add nothing that holds connections beyond the exchange: a hundred
// of each kind show their part.
const servers = [
  { what: 'the server', env: {}, leaving: 1_000, staying: 100 },
  { what: 'the Express server', env: { HTTP_ROUTER: 'express' }, leaving: 100, staying: 20 },
  { what: 'the reference server of HTTP/2', env: { HTTP2: 'node' }, leaving: 100, staying: 20 },
];

for (const { what, env, leaving, staying } of servers)
  describe(`${what} lets go of every connection, ${leaving} of each kind`, function () {
    this.timeout(900_000);
    itLetsGoOfEveryConnection({ env, leaving, staying });
  });
