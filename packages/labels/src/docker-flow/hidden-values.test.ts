import { expect } from 'chai';
import { minimal, translate } from '../../test/translation.ts';
import { labelNames } from '../catalogue/labels.ts';

const secret = 'opensesame';

/** In every syntax that some label has, well-formed and not. */
const inHeaders = [
  `X-Auth:${secret}`,
  `X-Auth=${secret}`,
  `X-Auth ${secret}`,
  `X-Session ${secret}é`,
  `Authorization "Bearer ${secret}`,
  `X-Api-Key ${secret} if { path /x }`,
  `X-Auth %[${secret}]`,
  `request.X-Auth=${secret}`,
  `http-request set-header X-Auth ${secret}`,
];
const inRules = [
  `Header(\`X-Auth\`, \`${secret}\``,
  `Header(\`X-Auth\`, ${secret})`,
  `Header(\`X-Auth\`, "${secret})`,
  `Header(\`X-Auth\` ${secret})`,
  `HeaderRegexp(\`X-Auth\`, \`${secret}(\`)`,
  `Headers(\`X-Auth\`, \`${secret}\`)`,
  `Query(\`token=${secret}\`)`,
  `QueryRegexp(\`token\`, \`${secret}(\`)`,
  `Header:X-Auth,${secret}`,
];
const inUrls = [`http://jane:${secret}@auth.example/verify`, `https://gate:${secret}@gate`];
const inOptions = [`session(secret="${secret}"`, `gate(token=${secret}),gate(`, `basicAuth(jane:${secret})`];
const inTexts = [`Authorization: Bearer ${secret}`, `api-key=${secret}`, `/verify?token=${secret}`];
const everywhere = [...inUrls, ...inTexts];
/** Labels that hold headers, users or options; the values of others are ports, paths, hosts. */
const holders =
  /^((add|set)(Req|Res)?Header|serviceHeader|headers|middlewares|plugins|users|serviceCert|backendExtra|userDef)$/;

function formsOf(name: string): readonly string[] {
  // What routes show anyway.
  if (/^(servicePath|servicePathExclude|serviceName)$/.test(name)) return inUrls;
  if (name === 'rule') return [...inRules, ...everywhere];
  return holders.test(name) ? [...inHeaders, ...inRules, ...inOptions, ...everywhere] : everywhere;
}

describe('problems of labels', () => {
  for (const name of labelNames())
    it(`show no credential that ${name} holds`, () => {
      for (const value of formsOf(name))
        for (const label of [name, `${name}.1`, `${name}.7`]) {
          const { problems } = translate({ ...minimal, [label]: value });
          expect(JSON.stringify(problems), `${label}=${value}`).not.to.include(secret);
        }
    });

  it('show nothing of misspelt labels', () => {
    for (const name of ['user', 'serviceHeaders', 'Users', 'forwardAuht', 'serviceCerts'])
      for (const value of [`jane:${secret}`, ...inHeaders, ...everywhere])
        expect(JSON.stringify(translate({ ...minimal, [name]: value }).problems)).not.to.include(secret);
  });

  it('name no user: a password may stand in the name’s place', () => {
    for (const more of [{}, { usersPassEncrypted: 'true' }])
      for (const label of ['users', 'users.1']) {
        const parameters = { ...minimal, 'servicePath.1': '/a', 'port.1': '80', ...more };
        const { problems } = translate({ ...parameters, [label]: `${secret}:jane,joe:$1$x$${secret}` });
        expect(JSON.stringify(problems), label).not.to.include(secret);
      }
  });

  // What is hidden too often helps no owner.
  for (const [label, value] of [
    ['servicePath', 'auth'],
    ['serviceDomain', 'auth.example:8080'],
    ['rule', 'Host(`auth.example`'],
    ['addReqHeader', 'X-Version %[req.hdr(x)]'],
    ['port', '70000'],
  ] as const)
    it(`show ${label}=${value}`, () => {
      const [problem] = translate({ ...minimal, [label]: value }).problems;
      expect(problem?.value).to.equal(value);
    });
});
