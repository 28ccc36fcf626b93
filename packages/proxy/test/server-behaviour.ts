import { draining } from './behaviour/draining.ts';
import { endpoints } from './behaviour/endpoints.ts';
import { forwarding } from './behaviour/forwarding.ts';
import { headersBetweenHops } from './behaviour/headers-between-hops.ts';
import { localResponses } from './behaviour/local-responses.ts';
import { middleware } from './behaviour/middleware.ts';
import { Suite } from './behaviour/suite.ts';
import { tunnelFlow } from './behaviour/tunnel-flow.ts';
import { tunnels } from './behaviour/tunnels.ts';
import { upgrades } from './behaviour/upgrades.ts';
import type { MakeServer } from './server-rig.ts';

/** What the HTTP server does with every router, through real sockets. */
export function serverBehaviour(name: string, makeServer: MakeServer): void {
  describe(`the HTTP server with the ${name} router`, () => {
    const suite = new Suite(makeServer);
    afterEach(() => suite.rig.stop());
    forwarding(suite);
    headersBetweenHops(suite);
    middleware(suite);
    localResponses(suite);
    endpoints(suite);
    upgrades(suite);
    tunnels(suite);
    tunnelFlow(suite);
    draining(suite);
  });
}
