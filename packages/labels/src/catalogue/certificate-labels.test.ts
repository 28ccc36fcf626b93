import { expect } from 'chai';
import { certificateServiceLabels } from './certificate-labels.ts';

describe('the label acme', () => {
  const { parse } = certificateServiceLabels.acme;
  const cases = [
    ['false', false],
    ['true', undefined],
    [' letsencrypt-staging ', 'letsencrypt-staging'],
    ['https://ca.internal:9000/acme/acme/directory', 'https://ca.internal:9000/acme/acme/directory'],
  ] as const;
  for (const [raw, value] of cases)
    it(`takes ${JSON.stringify(raw)}`, () => {
      expect(parse(raw, { separator: ',' })).to.deep.equal({ ok: true, value });
    });

  for (const raw of ['', 'Let’s Encrypt', 'http://ca.internal/directory', 'https://', 'zerossl,google'])
    it(`refuses ${JSON.stringify(raw)}`, () => {
      expect(parse(raw, { separator: ',' }).ok).to.equal(false);
    });
});
