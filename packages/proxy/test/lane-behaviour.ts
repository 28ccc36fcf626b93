import { draining } from './behaviour/draining.ts';
import { endpoints } from './behaviour/endpoints.ts';
import { forwarding } from './behaviour/forwarding.ts';
import { headersBetweenHops } from './behaviour/headers-between-hops.ts';
import { middleware } from './behaviour/middleware.ts';
import { ownAnswers } from './behaviour/own-answers.ts';
import { Suite } from './behaviour/suite.ts';
import { upgrades } from './behaviour/upgrades.ts';
import type { MakeLane } from './behaviour-rig.ts';

/** What every lane must do, through real sockets. Run once per lane. */
export function laneBehaviour(name: string, makeLane: MakeLane): void {
  describe(`the ${name} lane`, () => {
    const suite = new Suite(makeLane);
    afterEach(() => suite.rig.stop());
    forwarding(suite);
    headersBetweenHops(suite);
    middleware(suite);
    ownAnswers(suite);
    endpoints(suite);
    upgrades(suite);
    draining(suite);
  });
}
