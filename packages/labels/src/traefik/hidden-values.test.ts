import { expect } from 'chai';
import { http, type Labels, port, router, service, translated } from '../../test/traefik-services.ts';

const secret = 'opensesame';
const withMiddleware = { ...router, 'routers.web.middlewares': 'm' };
const m = 'middlewares.m';

const cases: readonly Labels[] = [
  ...[
    `Header(\`X-Auth\`, \`${secret}\``,
    `Header(\`X-Auth\`, ${secret})`,
    `Header(\`X-Auth\` ${secret})`,
    `Headers(\`X-Auth\`, \`${secret}\`)`,
    `HeaderRegexp(\`X-Auth\`, \`${secret}(\`)`,
    `Query(\`token\`, \`${secret}\`) && Nothing(\`x\`)`,
    `Query(\`token=${secret}\`)`,
    `QueryRegexp(\`token\`, \`${secret}(\`)`,
    `Host:a.example;Headers:X-Auth,${secret}`,
  ].map((rule) => ({ ...port, 'routers.web.rule': rule })),
  { ...withMiddleware, [`${m}.basicauth.users`]: `jane:${secret}` },
  { ...withMiddleware, [`${m}.basicauth.users`]: `jane:$1$x$${secret}` },
  { ...withMiddleware, [`${m}.basicauth.user`]: `jane:${secret}` },
  { ...withMiddleware, [`${m}.digestauth.users`]: `jane:x:${secret}` },
  { ...withMiddleware, [`${m}.headers.customrequestheaders.X-Auth`]: `${secret}é` },
  { ...withMiddleware, [`${m}.headers.customrequestheaders.Content-Length`]: secret },
  { ...withMiddleware, [`${m}.headers.customrequestheader.X-Auth`]: secret },
  { ...withMiddleware, [`${m}.headers.customresponseheaders.Set-Cookie`]: `${secret}é` },
  { ...withMiddleware, [`${m}.forwardauth.address`]: `http://jane:${secret}@gate.example` },
  { ...withMiddleware, [`${m}.forwardauth.tls.key`]: secret },
  { ...withMiddleware, [`${m}.plugin.gate.token`]: secret },
  { ...withMiddleware, [`${m}.ratelimit.redis.password`]: secret, [`${m}.ratelimit.average`]: '1' },
];

describe('problems of Traefik’s labels', () => {
  for (const labels of cases)
    it(`show no credential of ${JSON.stringify(labels).slice(0, 110)}`, () => {
      for (const provider of [undefined, 'file'] as const) {
        const found = translated([service('web', http(labels), provider === undefined ? {} : { provider })]);
        for (const { problems, destinations } of found.values()) {
          expect(JSON.stringify(problems)).not.to.include(secret);
          for (const { middlewares = [] } of destinations)
            for (const use of middlewares) if (use.kind === 'unsupported') expect(use.why).not.to.include(secret);
        }
      }
    });

  it('show no credential of labels of Traefik 1, and of labels that it does not know', () => {
    for (const label of [
      'traefik.frontend.auth.basic',
      'traefik.frontend.auth.basic.users',
      'traefik.auth',
      'traefik.http.auth',
    ])
      for (const { problems } of translated([service('web', { [label]: `jane:${secret}` })]).values())
        expect(JSON.stringify(problems), label).not.to.include(secret);
  });

  it('show the rule of a host that is named like one', () => {
    const { problems = [] } =
      translated([service('web', http({ ...port, 'routers.web.rule': 'Host(`auth.example`' }))]).get('web') ?? {};
    expect(problems.map(({ value }) => value)).to.deep.equal(['Host(`auth.example`']);
  });
});
