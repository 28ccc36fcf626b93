import type { Problem } from '@swarmgate/registry';
import type { ChallengeKind } from '../names/select-names.ts';
import type { AcmeProblem } from '../protocol/acme-error.ts';
import type { Failure } from './failure.ts';

interface Mend {
  readonly what: string;
  readonly suggestion: string;
}

type MendOf = (name: string, failure: Failure) => Mend;

const responding: Readonly<Record<ChallengeKind, string>> = {
  'http-01': 'port 80',
  'tls-alpn-01': 'port 443',
  'dns-01': 'the TXT record _acme-challenge',
};

const wrongResponse: MendOf = (name, { challenge }) => ({
  what:
    challenge === 'dns-01'
      ? `the CA does not see the TXT record of ${name}`
      : `${responding[challenge]} of ${name} is served by another server`,
  suggestion:
    challenge === 'dns-01'
      ? 'look whether all name servers of the zone serve the record that is written, and whether a CNAME leads elsewhere'
      : 'look where the A and AAAA records lead: a CDN or load balancer before this proxy has to pass the challenge on, and a stale AAAA record is tried first',
});

/** Why a CA gives no usable response, by the error of Node or of the other side. */
const causes: readonly (readonly [pattern: RegExp, what: string, suggestion: string])[] = [
  [
    /self-signed certificate|unable to (?:get|verify)/,
    'is certified by an unknown authority',
    'set ACME_CA_FILE to the PEM of the authority that certified the CA’s own TLS certificate',
  ],
  [
    /altnames|certificate has expired|certificate is not yet valid/,
    'has a TLS certificate that is not good for it',
    'correct the host in ACME_DIRECTORY, or renew the TLS certificate of the CA',
  ],
  [
    /ECONNREFUSED/,
    'refuses the connection',
    'look whether the CA runs, and whether ACME_DIRECTORY has its host and port',
  ],
  [/ENOTFOUND|EAI_AGAIN/, 'is not found in the DNS', 'correct the host in ACME_DIRECTORY, or the DNS of this machine'],
  [
    /: 4\d\d without a problem document|no directory/,
    'has no ACME directory at this URL',
    'correct the path in ACME_DIRECTORY: the URL of the directory itself, such as https://ca.internal/acme/acme/directory',
  ],
];

function unreachable(issuer: string, detail: string): Mend {
  const [, what, suggestion] = causes.find(([pattern]) => pattern.test(detail)) ?? [
    undefined,
    'does not respond',
    'look whether this machine reaches the CA; with a CA of your own, whether ACME_CA_FILE holds its authority',
  ];
  return { what: `${issuer} ${what}`, suggestion };
}

/** By the CA's problem type (RFC 8555, section 6.7, and IANA's registry of ACME error types). */
const mends: Readonly<Record<string, MendOf>> = {
  dns: (name) => ({
    what: `no A or AAAA record for ${name}`,
    suggestion: `add an A record for ${name} with the address of this proxy, and see that its name servers respond`,
  }),
  connection: (name, { challenge }) => ({
    what: `${responding[challenge]} of ${name} does not respond`,
    suggestion: `open ${challenge === 'tls-alpn-01' ? 'port 443' : 'port 80'} to the internet and publish it to this proxy, for IPv6 too where there is an AAAA record`,
  }),
  unauthorized: wrongResponse,
  incorrectResponse: wrongResponse,
  tls: (name) => ({
    what: `the TLS handshake with ${name} failed`,
    suggestion: 'look whether port 443 leads to this proxy without another TLS termination before it, or use http-01',
  }),
  caa: (name, { issuer }) => ({
    what: `a CAA record forbids ${issuer} to certify ${name}`,
    suggestion: `add the CA to the CAA records of ${name} or of its domain, or use another issuer in ACME_DIRECTORY`,
  }),
  rateLimited: (name, { issuer, notBeforeMs }) => ({
    what: `rate limited by ${issuer}${notBeforeMs === undefined ? '' : ` until ${new Date(notBeforeMs).toISOString()}`}: ${name}`,
    suggestion: 'wait; a further issuer in ACME_DIRECTORY takes over after three failures',
  }),
  rejectedIdentifier: (name, { issuer }) => ({
    what: `${issuer} certifies no such name: ${name}`,
    suggestion: 'use another issuer in ACME_DIRECTORY, or acme=false on the service',
  }),
  unsupportedIdentifier: (name, { issuer }) => ({
    what: `${issuer} certifies no identifiers of this kind: ${name}`,
    suggestion: 'use a DNS name, or an issuer that certifies addresses',
  }),
  externalAccountRequired: (_, { issuer }) => ({
    what: `${issuer} requires an external account`,
    suggestion: 'make one at the CA and set ACME_EAB_KID and ACME_EAB_HMAC',
  }),
  account: (_, { issuer }) => ({
    what: `${issuer} refuses the account`,
    suggestion: 'look whether ACME_EAB_KID and ACME_EAB_HMAC are those that the CA gave, unused and for this directory',
  }),
  invalidContact: (_, { issuer }) => ({
    what: `${issuer} refuses ACME_EMAIL`,
    suggestion: 'set an address that exists',
  }),
  unsupportedContact: (_, { issuer }) => ({
    what: `${issuer} refuses ACME_EMAIL`,
    suggestion: 'set an address that exists',
  }),
  userActionRequired: (_, { issuer, detail }) => ({
    what: `${issuer} requires an action of its account holder`,
    suggestion: `do what the CA writes: ${detail}`,
  }),
  invalidProfile: (_, { issuer }) => ({
    what: `${issuer} has no such profile`,
    suggestion: 'correct ACME_PROFILE or the label acmeProfile; the directory of the CA lists its profiles',
  }),
  'dns-provider': (name) => ({
    what: `the TXT record of ${name} cannot be written`,
    suggestion: 'look at the credentials and the zone of the DNS provider (ACME_DNS_*, ACME_CLOUDFLARE_TOKEN)',
  }),
  'dns-lookup': (name) => ({
    what: `the DNS does not resolve where the TXT record of ${name} belongs`,
    suggestion:
      'look whether the resolvers in ACME_DNS_RESOLVERS, or those of this machine, respond; a CNAME of _acme-challenge must not lead in a circle',
  }),
  unreachable: (_, { issuer, detail }) => unreachable(issuer, detail),
  'order-lost': (name, { issuer }) => ({
    what: `${issuer} lost the order of ${name}`,
    suggestion: 'look at the status page of the CA, or at the storage of a CA of your own; the order is tried again',
  }),
  'account-lost': (_, { issuer }) => ({
    what: `${issuer} does not know its account any more`,
    suggestion: 'nothing, once: a new account is made with the next try. Look at the storage of a CA of your own',
  }),
  internal: (name) => ({
    what: `an error of the proxy itself ended the order of ${name}`,
    suggestion: 'look at the log of the proxy that orders, and report it; the order is tried again',
  }),
  timeout: (name, { issuer }) => ({
    what: `${issuer} did not finish the order of ${name}`,
    suggestion: 'look at the status page of the CA; the order is tried again',
  }),
};

const unknown: MendOf = (name, { issuer }) => ({
  what: `${issuer} refuses ${name}`,
  suggestion: 'look up the CA’s own error text in its documentation',
});

/** Types that identify by themselves what is wrong with an account. */
const accountTypes = new Set([
  'externalAccountRequired',
  'invalidContact',
  'unsupportedContact',
  'userActionRequired',
  'rateLimited',
]);

/** What a CA returned to a request for an account, where its type would be taken for a failed validation of a name. */
export function accountProblem(problem: AcmeProblem): AcmeProblem {
  return accountTypes.has(problem.type) ? problem : { ...problem, type: 'account' };
}

/** Failures before or beside the CA: the detail is not its text. */
const ownTypes = new Set(['dns-provider', 'dns-lookup', 'internal']);

/** A failure as a problem with its remedy, for the owner of the service. */
export function failureProblem(name: string, failure: Failure, nextAttemptMs: number): Problem {
  const { what, suggestion } = (mends[failure.type] ?? unknown)(name, failure);
  const next = new Date(nextAttemptMs).toISOString();
  const { issuer, detail, type } = failure;
  const said = ownTypes.has(type) || detail.includes(issuer) ? detail : `${issuer}: ${detail}`;
  const words = detail === '' ? '' : ` (${said})`;
  return {
    severity: 'warning',
    reason: `acme-${kebab(failure.type)}` as const,
    message: `no certificate for ${name}: ${what}${words}; next try at ${next}`,
    value: name,
    suggestion,
  };
}

function kebab(type: string): string {
  const text = type.replace(/([a-z])([A-Z])/g, '$1-$2').toLowerCase();
  return text.replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '');
}
