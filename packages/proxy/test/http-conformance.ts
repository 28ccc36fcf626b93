import { answers } from './conformance/answers.ts';
import { connections } from './conformance/connections.ts';
import { faults } from './conformance/faults.ts';
import { largeBodies } from './conformance/large-bodies.ts';
import { refusals } from './conformance/refusals.ts';
import { requests } from './conformance/requests.ts';
import { steps } from './conformance/steps.ts';
import type { MakeLane } from './lane-rig.ts';

/** What a lane does on the wire, by RFC 9110 and 9112: raw bytes in, raw bytes out, a backend that counts. */
export function httpConformance(laneName: 'raw' | 'express', makeLane: MakeLane, title: string = laneName): void {
  describe(`HTTP conformance of the ${title} lane`, () => {
    refusals(laneName, makeLane);
    requests(laneName, makeLane);
    largeBodies(makeLane);
    answers(laneName, makeLane);
    connections(laneName, makeLane);
    faults(laneName, makeLane);
    steps(laneName, makeLane);
  });
}
