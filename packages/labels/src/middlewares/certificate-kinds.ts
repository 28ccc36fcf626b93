import { boolean } from '../values/plain.ts';
import { middlewareKind, optional } from './middleware-kind.ts';

const shown = (what: string) => optional(boolean, { meaning: `Sends ${what}.`, default: 'false' });

/** What is sent to a service of the client's certificate. Fields as Traefik's options, without the dots. */
export const passTLSClientCert = middlewareKind({
  kind: 'passTLSClientCert',
  meaning:
    'Sends the client’s certificate as `X-Forwarded-Tls-Client-Cert` (`pem`), and parts of it as `X-Forwarded-Tls-Client-Cert-Info`, URL-encoded: `Subject="CN=jane";NA="1893456000"`. Only a certificate of `CA_FILE` is sent. What the client sends under these names, in every spelling, is removed.',
  example: 'pem=true',
  restricts: 'client-certificate-headers',
  options: {
    pem: shown('the certificate in base64, without the lines that frame it'),
    notBefore: shown('`NB`, the begin of its validity in seconds since the epoch'),
    notAfter: shown('`NA`, the end of its validity'),
    sans: shown('`SAN`, its alternative names'),
    serialNumber: shown('`SerialNumber` of the certificate, in decimal'),
    subjectDomainComponent: shown('`DC` of the subject'),
    subjectCountry: shown('`C` of the subject'),
    subjectProvince: shown('`ST` of the subject'),
    subjectLocality: shown('`L` of the subject'),
    subjectOrganization: shown('`O` of the subject'),
    subjectOrganizationalUnit: shown('`OU` of the subject'),
    subjectSerialNumber: shown('`SN` of the subject'),
    subjectCommonName: shown('`CN` of the subject'),
    issuerDomainComponent: shown('`DC` of the issuer'),
    issuerCountry: shown('`C` of the issuer'),
    issuerProvince: shown('`ST` of the issuer'),
    issuerLocality: shown('`L` of the issuer'),
    issuerOrganization: shown('`O` of the issuer'),
    issuerSerialNumber: shown('`SN` of the issuer'),
    issuerCommonName: shown('`CN` of the issuer'),
  },
});
