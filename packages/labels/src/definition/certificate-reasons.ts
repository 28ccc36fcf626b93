import { reasonEntry as entry } from './reason-entry.ts';

/** Reasons of problems of certificates. */
export const certificateReasons = {
  'certificate-unreadable': entry(
    'certificates',
    'The sealed certificate cannot be opened with the keys of this proxy.',
    'Add the key to `SECRETS_KEY`, or publish the service again.',
  ),
  'certificate-unusable': entry(
    'certificates',
    '`serviceCert` holds no certificate with its key.',
    'Give both as PEM.',
  ),
  'certificate-outranked': entry(
    'certificates',
    'Another certificate is served for these names.',
    'Remove one of the two.',
  ),
  'certificate-expiring': entry(
    'certificates',
    'The certificate ends soon.',
    'Renew it; `swarmgate certificates` shows why one by ACME is late.',
  ),
  'certificate-expired': entry(
    'certificates',
    'The certificate has ended.',
    'Renew it; `swarmgate certificates` shows why one by ACME is late.',
  ),
  'certificates-unserved': entry(
    'certificates',
    '`ACME_DIRECTORY` is not set, so stored certificates are not served.',
    'Set it, or import them.',
  ),
  'acme-replicas-late': entry(
    'certificates',
    'Replicas did not confirm a challenge response within 15 s; the CA was notified anyway.',
    'See whether these replicas reach the registry.',
  ),
  'acme-clock-off': entry(
    'certificates',
    'The clock of the ordering proxy differs from that of the CA by hours.',
    'Set the clocks of the machines (NTP).',
  ),
  'acme-issuer-unknown': entry(
    'certificates',
    'The label `acme` names none of the issuers.',
    'Correct it, or add the issuer to `ACME_DIRECTORY`.',
  ),
  'acme-challenge-impossible': entry(
    'certificates',
    'No configured challenge can prove control of the name.',
    'Change `ACME_CHALLENGE` or the label.',
  ),
  'acme-localhost': entry('certificates', 'The name is the machine itself.', 'Give the service a DNS name.'),
  'acme-single-label': entry('certificates', 'The name has no domain.', 'Use a full name.'),
  'acme-malformed': entry('certificates', 'The name cannot be in a certificate.', 'Use letters, digits and hyphens.'),
  'acme-private-address': entry('certificates', 'The address is private.', 'Give the service a DNS name.'),
  'acme-not-public': entry(
    'certificates',
    'Public CAs certify public names only.',
    'Use a public name, or a CA of your own.',
  ),
  'acme-wildcard-without-dns': entry(
    'certificates',
    'A wildcard needs dns-01.',
    'Set `ACME_CHALLENGE=dns-01` and a DNS provider.',
  ),
  'acme-dns': entry('certificates', 'The name has no A or AAAA record.', 'Add one with the address of the proxy.'),
  'acme-connection': entry(
    'certificates',
    'The CA cannot connect to the name.',
    'Open port 80 (443 with tls-alpn-01) and publish it to the proxy.',
  ),
  'acme-unauthorized': entry('certificates', 'Another server responds at the name.', 'Point the name at the proxy.'),
  'acme-incorrect-response': entry(
    'certificates',
    'Another server responds at the name.',
    'Point the name at the proxy.',
  ),
  'acme-tls': entry(
    'certificates',
    'The TLS handshake of the validation failed.',
    'Remove the TLS termination before the proxy, or use http-01.',
  ),
  'acme-caa': entry('certificates', 'A CAA record forbids the CA.', 'Add the CA to the record, or use another issuer.'),
  'acme-rate-limited': entry('certificates', 'The CA limits its orders.', 'Wait, or add an issuer.'),
  'acme-rejected-identifier': entry(
    'certificates',
    'The CA certifies no such name.',
    'Use another issuer, or `acme=false`.',
  ),
  'acme-unsupported-identifier': entry(
    'certificates',
    'The CA certifies no identifiers of this kind.',
    'Use a DNS name, or another issuer.',
  ),
  'acme-external-account-required': entry(
    'certificates',
    'The CA requires an external account.',
    'Set `ACME_EAB_KID` and `ACME_EAB_HMAC`.',
  ),
  'acme-account': entry('certificates', 'The CA refuses the account.', 'Correct `ACME_EAB_KID` and `ACME_EAB_HMAC`.'),
  'acme-invalid-contact': entry('certificates', 'The CA refuses `ACME_EMAIL`.', 'Set an address that exists.'),
  'acme-unsupported-contact': entry('certificates', 'The CA refuses `ACME_EMAIL`.', 'Set an address that exists.'),
  'acme-user-action-required': entry(
    'certificates',
    'The CA requires its account holder to act.',
    'Do what the CA writes in `message`.',
  ),
  'acme-invalid-profile': entry(
    'certificates',
    'The CA has no such profile.',
    'Correct `ACME_PROFILE` or `acmeProfile`.',
  ),
  'acme-dns-provider': entry(
    'certificates',
    'The TXT record cannot be written.',
    'Check credentials and zone of the DNS provider.',
  ),
  'acme-dns-lookup': entry(
    'certificates',
    'The DNS does not show where the TXT record belongs.',
    'Check the resolvers in `ACME_DNS_RESOLVERS`.',
  ),
  'acme-unreachable': entry(
    'certificates',
    'The CA gives no usable response.',
    '`suggestion` has the remedy for the cause.',
  ),
  'acme-order-lost': entry(
    'certificates',
    'The CA lost the order, which is tried again.',
    'Check the CA’s status page.',
  ),
  'acme-account-lost': entry(
    'certificates',
    'The CA does not know its account; the next try makes one.',
    'Nothing to do, unless it recurs.',
  ),
  'acme-internal': entry('certificates', 'An error of the proxy itself ended the order.', 'Report it with the log.'),
  'acme-timeout': entry(
    'certificates',
    'The CA did not finish the order, which is tried again.',
    'Check the CA’s status page.',
  ),
} as const;
