import { connections } from './conformance/connections.ts';
import { faults } from './conformance/faults.ts';
import { largeBodies } from './conformance/large-bodies.ts';
import { refusals } from './conformance/parse-errors.ts';
import { requests } from './conformance/requests.ts';
import { responses } from './conformance/responses.ts';
import { steps } from './conformance/steps.ts';
import type { MakeServer } from './server-rig.ts';

/** What the HTTP server does on the wire, by RFC 9110 and 9112: raw bytes in, raw bytes out, a backend that counts. */
export function httpConformance(router: string, makeServer: MakeServer): void {
  describe(`HTTP conformance with the ${router} router`, () => {
    refusals(makeServer);
    requests(makeServer);
    largeBodies(makeServer);
    responses(makeServer);
    connections(makeServer);
    faults(makeServer);
    steps(makeServer);
  });
}
