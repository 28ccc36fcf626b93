import { dearEndingKinds, endingKinds } from './endings/ending-kinds.ts';
import { itLetsGoOfEveryConnection } from './endings/endings-suite.ts';
import { http2Endings } from './endings/http2-endings.ts';

// With a thousand of each kind: test/integration/proxy/connection-endings.test.ts.
const each = { leaving: 20, staying: 20 };

const kinds = [...endingKinds, ...dearEndingKinds];
const servers = [
  { what: 'the server', env: {}, kinds },
  { what: 'the Express server', env: { HTTP_ROUTER: 'express' }, kinds },
  { what: 'the reference server of HTTP/2', env: { HTTP2: 'node' }, kinds: http2Endings },
];

for (const { what, ...suite } of servers)
  describe(`${what} lets go of every connection`, function () {
    this.timeout(120_000);
    itLetsGoOfEveryConnection({ ...suite, ...each });
  });
