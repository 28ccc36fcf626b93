import type { DestinationEntries, ServiceEntries } from './entry-maps.ts';
import { added, fixed, same, served } from './label-entry.ts';
import { boolean, networks, not, ok, rateLimit, rateLimitKey, users } from './label-parsers.ts';

/** Who may call, and how often. */
export const accessServiceLabels = {
  users: {
    name: 'users',
    parse: users,
    meaning:
      'Users for basic authentication, `name:password` by comma or line. A name alone is looked up in `usersSecret`, else in the global `USERS`. Where nothing resolves, nobody is let in.',
    example: 'jane:secret,joe',
    support: served,
    restrictsAccess: true,
    secret: true,
    dockerFlow: fixed(
      'Users of the service replace the global ones, as the docs say; Docker Flow’s code demands both. The registry holds salted hashes, never passwords.',
    ),
  },
  usersSecret: {
    name: 'usersSecret',
    parse: (raw) => {
      const name = raw.trim();
      return /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)
        ? ok(name)
        : not('the part of the secret’s name after dfp_users_');
    },
    meaning: 'Users come from the secret file `/run/secrets/dfp_users_<value>` on the proxies.',
    example: 'monitoring',
    support: served,
    restrictsAccess: true,
    dockerFlow: same,
  },
  usersPassEncrypted: {
    name: 'usersPassEncrypted',
    parse: boolean,
    default: 'false',
    meaning: 'Passwords in `users` or `usersSecret` are crypt(3) hashes: `$5$`, `$6$`, bcrypt, `$apr1$`.',
    example: 'true',
    support: served,
    restrictsAccess: true,
    dockerFlow: fixed(
      'bcrypt and `$apr1$` (htpasswd) are understood too; DES and `$1$` are refused, they can be guessed.',
    ),
  },
  rateLimit: {
    name: 'rateLimit',
    parse: rateLimit,
    meaning:
      'Requests per time; more get 429. Counted in every proxy for itself, or over all of them with `REDIS_URL`.',
    example: '100/s',
    support: served,
    dockerFlow: added,
  },
  rateLimitKey: {
    name: 'rateLimitKey',
    parse: rateLimitKey,
    default: 'ip',
    meaning: 'What is counted by: the client’s address, or the value of a header.',
    example: 'header:X-Api-Key',
    support: served,
    dockerFlow: added,
  },
  allowedAddresses: {
    name: 'allowedAddresses',
    parse: networks,
    meaning: 'Addresses and networks that may call; all others get 403.',
    example: '10.0.0.0/8,2001:db8::/32',
    support: served,
    restrictsAccess: true,
    dockerFlow: added,
  },
  serviceCert: {
    name: 'serviceCert',
    parse: (raw) => {
      const pem = raw.replaceAll('\\n', '\n');
      return /-----BEGIN CERTIFICATE-----/.test(pem) && /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)
        ? ok(pem)
        : not('a certificate and its private key in PEM, line ends written as \\n');
    },
    meaning:
      'Certificate and private key in PEM, line ends written as `\\n`. The key is encrypted with `SECRETS_KEY` before it goes into the registry. For a host that has a certificate from a file, a secret or `PUT …/cert`, that one is served.',
    example: '-----BEGIN CERTIFICATE-----\\n…\\n-----END CERTIFICATE-----\\n-----BEGIN PRIVATE KEY-----\\n…',
    support: served,
    secret: true,
    dockerFlow: fixed('Needs `SECRETS_KEY` with Consul: private keys are never stored in plain.'),
  },
} satisfies Partial<ServiceEntries>;

export const accessDestinationLabels = {
  httpsOnly: {
    name: 'httpsOnly',
    parse: boolean,
    default: '`HTTPS_ONLY`, else false',
    meaning: 'Redirects requests that did not come by TLS to https.',
    example: 'true',
    support: served,
    restrictsAccess: true,
    dockerFlow: fixed(
      'Behind a TLS load balancer in `TRUSTED_PROXIES` its `X-Forwarded-Proto: https` counts as TLS, so there is no loop.',
    ),
  },
  denyHttp: {
    name: 'denyHttp',
    parse: boolean,
    default: 'false',
    meaning: 'Answers 403 to requests that did not come by TLS.',
    example: 'true',
    support: served,
    restrictsAccess: true,
    dockerFlow: same,
  },
  verifyClientSsl: {
    name: 'verifyClientSsl',
    parse: boolean,
    default: 'false',
    meaning: 'Answers 403 unless the client has a certificate of an authority in `CA_FILE`.',
    example: 'true',
    support: served,
    restrictsAccess: true,
    dockerFlow: same,
  },
  ignoreAuthorization: {
    name: 'ignoreAuthorization',
    parse: boolean,
    default: 'false',
    meaning: 'No authentication for this destination, though the service or the proxy has users.',
    example: 'true',
    support: served,
    dockerFlow: same,
  },
} satisfies Partial<DestinationEntries>;
