import { expect } from 'chai';
import { importResponse } from './ordering-routes.ts';

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
