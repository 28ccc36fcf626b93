import type { MakeServer } from '../server-rig.ts';
import { bodyCases } from './body-cases.ts';
import { formCases } from './form-cases.ts';
import { hopCases } from './hop-cases.ts';
import { requestCases } from './request-cases.ts';
import { responseCases } from './response-cases.ts';
import { retryCases } from './retry-cases.ts';
import { rewriteCases } from './rewrite-cases.ts';
import { type CaseClient, runCase } from './run-case.ts';
import type { ViewCase } from './view-case.ts';

const groups: Readonly<Record<string, readonly ViewCase[]>> = {
  requests: requestCases,
  hops: hopCases,
  bodies: bodyCases,
  responses: responseCases,
  forms: formCases,
  rewrites: rewriteCases,
  retries: retryCases,
};

/** What client, endpoint and operator see of each case, over one protocol and one router. */
export function threeViews(router: string, makeServer: MakeServer, client: CaseClient): void {
  describe(`what client, endpoint and operator see with the ${router} router over ${client.protocol}`, () => {
    for (const [group, cases] of Object.entries(groups))
      describe(group, () => {
        for (const each of cases.filter(client.plays)) it(each.name, () => runCase(each, makeServer, client));
      });
  });
}
