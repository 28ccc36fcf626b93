import { expect } from 'chai';
import type { AdminParts } from './admin-parts.ts';
import { certificatesInSteps, importResponse } from './ordering-routes.ts';

describe('the response to an import of certificates', () => {
  const taken = { names: ['a.example.com'], state: 'taken over' as const };
  const kept = { names: ['b.example.com'], state: 'kept' as const, why: 'a later one is served' };
  const refused = { names: ['c.example.com', 'd.example.com'], state: 'refused' as const, why: 'another key' };
  const nameless = { names: [], state: 'refused' as const, why: 'damaged' };

  it('names each with what became of it', () => {
    expect(importResponse([taken, kept, refused, nameless])).to.deep.equal({
      Status: 'OK',
      Message:
        'a.example.com: taken over; b.example.com: kept: a later one is served; c.example.com, d.example.com: refused: another key; certificate 4: refused: damaged',
      certificates: [taken, kept, refused, nameless],
    });
  });

  it('is a refusal only where every one of them is refused', () => {
    const cases = [
      [[taken], 'OK'],
      [[kept], 'OK'],
      [[kept, refused], 'OK'],
      [[refused, nameless], 'NOK'],
    ] as const;
    for (const [certificates, status] of cases) expect(importResponse(certificates).Status).to.equal(status);
  });
});

describe('the list of certificates that is made in steps', () => {
  it('is that of the moment when it was begun: one that comes behind it would be listed without its dates', () => {
    const listed = ['first'];
    const view = (name: string) => ({
      name,
      hosts: [`${name}.example`],
      expiresAt: '2027-01-01',
      from: 'acme' as const,
    });
    const order = (id: string) => ({ id, names: [`${id}.example`], notBefore: '2026-01-01' });
    const parts = {
      certificates: { list: () => listed.map(view) },
      ordered: { ordered: () => listed.map(order), waiting: () => [] },
    } as unknown as Pick<AdminParts, 'certificates' | 'ordered'>;
    const { certificates } = certificatesInSteps(parts);
    listed.push('second');
    expect([...certificates]).to.deep.equal([{ ...view('first'), notBefore: '2026-01-01' }]);
  });
});
