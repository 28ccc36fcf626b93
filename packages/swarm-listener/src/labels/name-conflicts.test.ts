import { expect } from 'chai';
import { resolveNames } from './name-conflicts.ts';
import type { TranslatedService } from './translate-service.ts';

describe('names that services are published under', () => {
  const translated = (name: string, createdAt = '2026-01-01T00:00:00Z', serviceId = name) =>
    ({
      name,
      createdAt,
      serviceId,
      problems: [],
      endpoints: { dnsName: `stack_${name}` },
    }) as unknown as TranslatedService;
  const namesOf = (...services: readonly TranslatedService[]) => [...resolveNames(services).keys()];

  for (const name of ['web', 'shop_web.v2', '7', 'a'.repeat(63)])
    it(`${name} can be published`, () => expect(namesOf(translated(name))).to.deep.equal([name]));

  for (const name of ['', '/web', 'a/b', '..', 'a..b', '-web', '.web', '_web', 'we b', 'wéb'])
    it(`${JSON.stringify(name)} cannot: it is no part of a key`, () => {
      expect(namesOf(translated('web'), translated(name))).to.deep.equal(['web']);
    });

  it('belong to the service that was created first, then to the lower id, and the others are named', () => {
    const [young, old, lower] = [
      translated('web', '2026-01-02T00:00:00Z', 'a'),
      translated('web', '2026-01-01T00:00:00Z', 'c'),
      translated('web', '2026-01-01T00:00:00Z', 'b'),
    ];
    const settled = resolveNames([young, old, lower]).get('web');
    expect(settled?.serviceId).to.equal('b');
    expect(settled?.problems.map(({ reason }) => reason)).to.deep.equal(['service-name-taken', 'service-name-taken']);
  });
});
