import { expect } from 'chai';
import type { RequiredName } from '../names/select-names.ts';
import { type Issuer, issuerOf } from '../orders/issuers.ts';
import { type ChoiceInput, chooseOrder } from './choose-order.ts';

const issuers = [issuerOf('letsencrypt'), issuerOf('zerossl')];
const required = (changed: Partial<RequiredName> = {}): RequiredName => ({
  name: 'a.example.com',
  services: ['swarm/web'],
  issuers: issuers.map(({ id }) => id),
  challenges: ['http-01', 'tls-alpn-01'],
  ...changed,
});
const choose = (input: Partial<ChoiceInput> & { readonly away?: Readonly<Record<string, number>> } = {}) => {
  const { away = {}, ...rest } = input;
  const choice = chooseOrder({
    names: [required()],
    failures: 0,
    rehearsed: false,
    issuers,
    awayFailures: ({ id }: Issuer) => away[id] ?? 0,
    notBeforeMs: ({ id }: Issuer) => ((away[id] ?? 0) > 0 ? 2_000 : 0),
    nowMs: 1_000,
    ...rest,
  });
  if (choice?.kind !== 'order') return choice?.kind === 'wait' ? `wait for ${choice.issuer.id}` : undefined;
  return [choice.issuer.id, choice.challenge, choice.rehearsal ? 'rehearsal' : '', choice.profile ?? '']
    .join(' ')
    .trim();
};

describe('how the next try is made', () => {
  const cases = [
    ['the first issuer and challenge at first', {}, 'letsencrypt http-01'],
    ['staging after a failure, with the next challenge', { failures: 1 }, 'letsencrypt-staging tls-alpn-01 rehearsal'],
    ['the real one after a rehearsal', { failures: 1, rehearsed: true }, 'letsencrypt tls-alpn-01'],
    ['the next issuer after three failures', { failures: 3 }, 'zerossl tls-alpn-01'],
    ['no staging where the issuer has none', { failures: 4 }, 'zerossl http-01'],
    ['the first issuer again after six', { failures: 6 }, 'letsencrypt-staging http-01 rehearsal'],
    ['the same issuer while it was away once', { away: { letsencrypt: 1 } }, 'wait for letsencrypt'],
    ['the next issuer when it was away three times', { away: { letsencrypt: 3 } }, 'zerossl http-01'],
    ['the first when all are away', { away: { letsencrypt: 3, zerossl: 3 } }, 'wait for letsencrypt'],
    ['the issuer of the label alone', { names: [required({ issuers: ['zerossl'] })] as const }, 'zerossl http-01'],
    [
      'the short-lived profile for an address',
      { names: [required({ name: '8.8.8.8' })] as const },
      'letsencrypt http-01  shortlived',
    ],
    ['nothing for an issuer that is gone', { names: [required({ issuers: ['other'] })] as const }, undefined],
  ] as const;
  for (const [what, input, choice] of cases) it(`is ${what}`, () => expect(choose(input)).to.equal(choice));
});
