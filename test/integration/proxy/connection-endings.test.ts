import { dearEndingKinds, endingKinds } from '../../../packages/proxy/test/endings/ending-kinds.ts';
import { itLetsGoOfEveryConnection } from '../../../packages/proxy/test/endings/endings-suite.ts';
import { http2Endings } from '../../../packages/proxy/test/endings/http2-endings.ts';

/**
 * `ENDINGS=whole`: a thousand of every kind with every server, which takes half an hour. Without it those that cost most, and HTTP2=node,
 * are in packages/proxy/test/connection-endings.slow.test.ts alone, 20 of each.
 */
const isWhole = process.env.ENDINGS === 'whole';
const all = { leaving: 1_000, staying: 100 };

// The Express router adds nothing that holds connections beyond the exchange: a hundred of each kind show its part.
const some = { leaving: 100, staying: 20 };
const kinds = isWhole ? [...endingKinds, ...dearEndingKinds] : endingKinds;
const servers = [
  { what: 'the core router', env: { HTTP_ROUTER: 'core' }, kinds, ...all },
  { what: 'the express router', env: { HTTP_ROUTER: 'express' }, kinds, ...(isWhole ? all : some) },
  ...(isWhole ? [{ what: 'HTTP2=node', env: { HTTP2: 'node' }, kinds: http2Endings, ...all }] : []),
];

for (const { what, leaving, ...suite } of servers)
  describe(`the server with ${what} lets go of every connection, ${leaving} of each kind`, function () {
    this.timeout(isWhole ? 3_600_000 : 900_000);
    itLetsGoOfEveryConnection({ ...suite, leaving });
  });
