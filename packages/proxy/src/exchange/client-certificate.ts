import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { ClientCertificate, DistinguishedName } from '../model/client-certificate.ts';

/** The certificate that the client of a connection has shown; `undefined`: none. Read by the first call. */
export function clientCertificateOf(socket: TLSSocket): () => ClientCertificate | undefined {
  let read: { readonly certificate: ClientCertificate | undefined } | undefined;
  return () => {
    if (read === undefined) {
      const shown = socket.getPeerX509Certificate();
      read = { certificate: shown === undefined ? undefined : readClientCertificate(shown) };
    }
    return read.certificate;
  };
}

export function readClientCertificate(shown: X509Certificate): ClientCertificate {
  return {
    base64: shown.raw.toString('base64'),
    subject: readName(shown.subject),
    issuer: readName(shown.issuer),
    serialNumber: BigInt(`0x${shown.serialNumber}`).toString(),
    notBeforeMs: Date.parse(shown.validFrom),
    notAfterMs: Date.parse(shown.validTo),
    alternativeNames: readAlternativeNames(shown.subjectAltName ?? ''),
  };
}

/** One attribute a line: `CN=jane`. Node escapes what is special in a name as RFC 2253 has it. */
function readName(text: string | undefined): DistinguishedName {
  const attributes = (text ?? '').split('\n').map((line) => {
    const equals = line.indexOf('=');
    return [line.slice(0, equals), line.slice(equals + 1)] as const;
  });
  const values = (name: string) => attributes.filter(([key]) => key === name).map(([, value]) => value);
  return {
    domainComponent: values('DC'),
    country: values('C'),
    province: values('ST'),
    locality: values('L'),
    organization: values('O'),
    organizationalUnit: values('OU'),
    serialNumber: values('serialNumber'),
    commonName: values('CN'),
  };
}

/** `DNS:a, IP Address:192.0.2.1`; a name with special characters stands in quotes, as JSON. */
function readAlternativeNames(text: string): readonly string[] {
  const found = [...text.matchAll(/(DNS|email|IP Address|URI):("(?:[^"\\]|\\.)*"|[^,]*)/g)].map(
    ([, kind = '', value = '']) => [kind, value.startsWith('"') ? String(JSON.parse(value)) : value] as const,
  );
  return ['DNS', 'email', 'IP Address', 'URI'].flatMap((kind) =>
    found.filter(([each]) => each === kind).map(([, value]) => value),
  );
}
