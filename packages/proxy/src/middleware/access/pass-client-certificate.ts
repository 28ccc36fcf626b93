import type { UseOf } from '@swarmgate/labels';
import type { ClientCertificate, DistinguishedName } from '../../model/client-certificate.ts';
import { proceed } from '../local-responses.ts';
import type { Middleware } from '../middleware.ts';

const pemHeader = 'X-Forwarded-Tls-Client-Cert';
const infoHeader = 'X-Forwarded-Tls-Client-Cert-Info';

type Options = UseOf<'passTLSClientCert'>;
type Part = readonly [key: string, of: keyof DistinguishedName, option: keyof Options];

/** In the order in which Traefik writes them. */
const subjectParts: readonly Part[] = [
  ['DC', 'domainComponent', 'subjectDomainComponent'],
  ['C', 'country', 'subjectCountry'],
  ['ST', 'province', 'subjectProvince'],
  ['L', 'locality', 'subjectLocality'],
  ['O', 'organization', 'subjectOrganization'],
  ['OU', 'organizationalUnit', 'subjectOrganizationalUnit'],
  ['SN', 'serialNumber', 'subjectSerialNumber'],
  ['CN', 'commonName', 'subjectCommonName'],
];
const issuerParts: readonly Part[] = [
  ['DC', 'domainComponent', 'issuerDomainComponent'],
  ['C', 'country', 'issuerCountry'],
  ['ST', 'province', 'issuerProvince'],
  ['L', 'locality', 'issuerLocality'],
  ['O', 'organization', 'issuerOrganization'],
  ['SN', 'serialNumber', 'issuerSerialNumber'],
  ['CN', 'commonName', 'issuerCommonName'],
];

/**
 * `passTLSClientCert`: headers that only the proxy may write, of a certificate that it has verified. They are removed from what
 * the client sent in any case: a service that trusts them must not get a client's own.
 */
export function passTLSClientCert(use: Options): Middleware {
  const sendsInfo = Object.entries(use).some(([option, value]) => option !== 'pem' && value === true);
  return {
    name: 'passTLSClientCert',
    onRequest({ request, client }) {
      request.deleteInEverySpelling(pemHeader);
      request.deleteInEverySpelling(infoHeader);
      const certificate = client.certificate?.();
      if (certificate === undefined) return proceed;
      if (use.pem === true) request.set(pemHeader, certificate.base64);
      if (sendsInfo) request.set(infoHeader, queryEscaped(infoOf(certificate, use)));
      return proceed;
    },
  };
}

function infoOf(certificate: ClientCertificate, use: Options): string {
  const { subject, issuer, serialNumber, notBeforeMs, notAfterMs, alternativeNames } = certificate;
  const fields: (readonly [string, string])[] = [
    ['Subject', named(subject, subjectParts, use)],
    ['Issuer', named(issuer, issuerParts, use)],
    ['SerialNumber', use.serialNumber === true ? serialNumber : ''],
  ];
  if (use.notBefore === true) fields.push(['NB', String(Math.floor(notBeforeMs / 1_000))]);
  if (use.notAfter === true) fields.push(['NA', String(Math.floor(notAfterMs / 1_000))]);
  if (use.sans === true) fields.push(['SAN', alternativeNames.join(',')]);
  return (
    fields
      .filter(([key, value]) => value !== '' || key === 'SAN')
      // A name that holds a quote or a semicolon would end its field, and could begin another one.
      .map(([key, value]) => `${key}="${value.replaceAll('"', '%22').replaceAll(';', '%3B')}"`)
      .join(';')
  );
}

function named(name: DistinguishedName, parts: readonly Part[], use: Options): string {
  return parts
    .filter(([, , option]) => use[option] === true)
    .flatMap(([key, of]) => name[of].map((value) => `${key}=${value}`))
    .join(',');
}

/** As Go's url.QueryEscape: a blank is a plus, and only letters, digits and `-_.~` stay. */
function queryEscaped(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+');
}
