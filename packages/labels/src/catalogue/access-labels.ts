import { isName } from '@swarmgate/runtime';
import { mayHoldCredential } from '../values/credentials.ts';
import { networks } from '../values/networks.ts';
import { boolean, text } from '../values/plain.ts';
import { plugins } from '../values/plugins.ts';
import { rateLimit, rateLimitKey } from '../values/rate-limit.ts';
import { users } from '../values/users.ts';
import { not, ok, type Value } from '../values/value.ts';
import { added, fixed, httpOnly, label, same } from './label-entry.ts';

const secretName: Value<string> = {
  parse: (raw) => (isName(raw.trim()) ? ok(raw.trim()) : not('the part of the secret’s name after dfp_users_')),
  schema: (zod) => zod.string().refine(isName, 'expected letters, digits, dot, underscore, hyphen'),
};

/** In a definition sealed: only `createSealer` writes it. */
const certificateAndKey: Value<string> = {
  parse: (raw) => {
    const pem = raw.replaceAll('\\n', '\n');
    return /-----BEGIN CERTIFICATE-----/.test(pem) && /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)
      ? ok(pem)
      : not('a certificate and its private key in PEM, line ends written as \\n');
  },
  schema: text.schema,
};

/** Access: users, networks, TLS and rates. */
export const accessServiceLabels = {
  users: label('users', users, {
    meaning:
      'Users for basic authentication, `name:password` by comma or line. A name alone is looked up in `usersSecret`, else in the global `USERS`. Where nothing resolves, every request gets 401.',
    modes: httpOnly,
    restricts: 'auth',
    example: 'jane:secret,joe',
    secret: true,
    dockerFlow: fixed(
      'Users of the service replace the global ones, as Docker Flow’s docs have it; its code demands both. The registry holds salted hashes, never passwords.',
    ),
  }),
  usersSecret: label('usersSecret', secretName, {
    meaning: 'Users come from the secret file `/run/secrets/dfp_users_<value>` on the proxies.',
    modes: httpOnly,
    restricts: 'auth',
    example: 'monitoring',
    dockerFlow: same,
  }),
  usersPassEncrypted: label('usersPassEncrypted', boolean, {
    default: 'false',
    meaning: 'Passwords in `users` or `usersSecret` are crypt(3) hashes: `$5$`, `$6$`, bcrypt, `$apr1$`.',
    modes: httpOnly,
    restricts: 'auth',
    example: 'true',
    dockerFlow: fixed(
      'bcrypt and `$apr1$` (htpasswd) are understood too; DES and `$1$` are refused, they can be guessed.',
    ),
  }),
  rateLimit: label('rateLimit', rateLimit, {
    meaning:
      'Requests per time; more get 429. Counted in every proxy for itself, or over all of them with `REDIS_URL`.',
    modes: httpOnly,
    restricts: 'rate-limit',
    example: '100/s',
    dockerFlow: added,
  }),
  rateLimitKey: label('rateLimitKey', rateLimitKey, {
    default: 'ip',
    meaning: 'What is counted by: the client’s address, or the value of a header.',
    modes: httpOnly,
    restricts: 'rate-limit',
    example: 'header:X-Api-Key',
    dockerFlow: added,
  }),
  allowedAddresses: label('allowedAddresses', networks, {
    meaning: 'Addresses and networks that may call; all others get 403.',
    restricts: 'allow-list',
    example: '10.0.0.0/8,2001:db8::/32',
    dockerFlow: added,
  }),
  serviceCert: label('serviceCert', certificateAndKey, {
    meaning:
      'Certificate and private key in PEM, line ends written as `\\n`. The key is encrypted with `SECRETS_KEY` before it goes into the registry. For a host that has a certificate from a file, a secret or `PUT …/cert`, that one is served.',
    example: '-----BEGIN CERTIFICATE-----\\n…\\n-----END CERTIFICATE-----\\n-----BEGIN PRIVATE KEY-----\\n…',
    secret: true,
    dockerFlow: fixed('Needs `SECRETS_KEY` with Consul: private keys are never stored in plain.'),
  }),
};

export const accessDestinationLabels = {
  httpsOnly: label('httpsOnly', boolean, {
    default: '`HTTPS_ONLY`, else false',
    meaning: 'Redirects requests that did not come by TLS to https.',
    modes: httpOnly,
    restricts: 'https',
    example: 'true',
    dockerFlow: fixed(
      'Behind a TLS load balancer in `TRUSTED_PROXIES` its `X-Forwarded-Proto: https` counts as TLS, so there is no loop. The redirect goes to the port that clients use (`PUBLISHED_PORTS`, docs/forwarding.md).',
    ),
  }),
  denyHttp: label('denyHttp', boolean, {
    default: 'false',
    meaning: 'Responds with 403 to requests that did not come by TLS.',
    modes: httpOnly,
    restricts: 'https',
    example: 'true',
    dockerFlow: same,
  }),
  verifyClientSsl: label('verifyClientSsl', boolean, {
    default: 'false',
    meaning: 'Responds with 403 unless the client has a certificate of an authority in `CA_FILE`.',
    modes: httpOnly,
    restricts: 'client-certificate',
    example: 'true',
    dockerFlow: same,
  }),
  plugins: label('plugins', plugins, {
    holdsCredential: mayHoldCredential,
    meaning:
      'Express middleware that requests pass after the access rules and before they are forwarded: names of files in `PLUGINS_DIR`, in order, each with its options (docs/plugins.md). A proxy without one of them responds with 503.',
    modes: httpOnly,
    restricts: 'plugins',
    example: 'helmet,cors(origin="https://shop.example",credentials=true)',
    dockerFlow: added,
  }),
  ignoreAuthorization: label('ignoreAuthorization', boolean, {
    default: 'false',
    meaning: 'No authentication for this destination, though the service or the proxy has users.',
    modes: httpOnly,
    example: 'true',
    dockerFlow: same,
  }),
};
