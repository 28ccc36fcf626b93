import { domains } from '../values/domains.ts';
import { oneOf, text } from '../values/plain.ts';
import { not, ok, type Value } from '../values/value.ts';
import { added, endingTls, label } from './label-entry.ts';

const issuer: Value<false | string> = {
  parse: (raw) => {
    const choice = raw.trim();
    if (choice === 'false') return ok(false);
    // The default, written out.
    if (choice === 'true') return ok(undefined);
    const isIssuer = /^[a-z0-9][a-z0-9.-]*$/.test(choice) || URL.parse(choice)?.protocol === 'https:';
    return isIssuer ? ok(choice) : not('false, or an issuer as ACME_DIRECTORY has it: a name or an https:// URL');
  },
  schema: (zod) => zod.union([zod.literal(false), zod.string().min(1)]),
};

/** How certificates for the hosts of a service are ordered. */
export const certificateServiceLabels = {
  acme: label('acme', issuer, {
    default: 'the issuers of `ACME_DIRECTORY` in turn',
    meaning:
      '`false`: no certificate is ordered for the hosts of this service. Else the one issuer of `ACME_DIRECTORY` to order from, named as there.',
    modes: endingTls,
    example: 'letsencrypt',
    dockerFlow: added,
  }),
  acmeDomains: label('acmeDomains', domains, {
    default: 'the hosts of the service',
    meaning:
      'Names that certificates are ordered for instead of the hosts: a wildcard for many hosts, which needs `dns-01`.',
    modes: endingTls,
    example: '*.shop.example,shop.example',
    dockerFlow: added,
  }),
  acmeChallenge: label('acmeChallenge', oneOf('http-01', 'tls-alpn-01', 'dns-01'), {
    default: '`ACME_CHALLENGE`',
    meaning: 'How control of the hosts is proved to the issuer.',
    modes: endingTls,
    example: 'dns-01',
    dockerFlow: added,
  }),
  acmeProfile: label('acmeProfile', text, {
    default: '`ACME_PROFILE`',
    meaning: 'Profile to order, where the issuer has it.',
    modes: endingTls,
    example: 'shortlived',
    dockerFlow: added,
  }),
};
