import { expect } from 'chai';
import { defaultRuleFor, routerRule } from './router-rule.ts';

describe('the default rule of routers', () => {
  const service = { name: 'shop_web.1', labels: { host: 'a.example' } };
  for (const [template, rule] of [
    ['Host(`{{ normalize .Name }}.example`)', 'Host(`shop-web-1.example`)'],
    ['Host(`{{.Name}}`)', 'Host(`shop_web.1`)'],
    ['Host(`{{ index .Labels "host" }}`)', 'Host(`a.example`)'],
    ['Host(`{{ index .Labels "none" }}`)', 'Host(`{{ index .Labels "none" }}`)'],
    ['Host(`{{ trimPrefix .Name }}`)', 'Host(`{{ trimPrefix .Name }}`)'],
  ] as const)
    it(`${template} is ${rule}`, () => {
      expect(defaultRuleFor(template, service)).to.equal(rule);
    });
});

describe('the rule of a router', () => {
  it('is as long as its bytes, by which Traefik orders', () => {
    const read = routerRule({ label: 'traefik.http.routers.a.rule', value: 'Path(`/é`)' }, 'a', '');
    expect(read.ok && read.length).to.equal(11);
  });
});
