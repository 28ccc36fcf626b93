import { expect } from 'chai';
import type { ClientCertificate } from '../../model/client-certificate.ts';
import type { Exchange } from '../../model/exchange.ts';
import { passTLSClientCert } from './pass-client-certificate.ts';

const none = {
  domainComponent: [],
  country: [],
  province: [],
  locality: [],
  organization: [],
  organizationalUnit: [],
  serialNumber: [],
  commonName: [],
};

describe('headers of a client’s certificate', () => {
  it('hold a name with quotes and semicolons in its own field: it begins no other one', async () => {
    const certificate: ClientCertificate = {
      base64: '',
      subject: { ...none, commonName: ['jane";Issuer="CN=root'] },
      issuer: { ...none, commonName: ['own authority'] },
      serialNumber: '1',
      notBeforeMs: 0,
      notAfterMs: 0,
      alternativeNames: ['a";SerialNumber="2'],
    };
    const sent = new Map<string, string>();
    const exchange = {
      request: { deleteInEverySpelling: () => undefined, set: (name: string, value: string) => sent.set(name, value) },
      client: { certificate: () => certificate },
    } as unknown as Exchange;
    const use = {
      kind: 'passTLSClientCert',
      subjectCommonName: true,
      issuerCommonName: true,
      serialNumber: true,
      sans: true,
    } as const;

    await passTLSClientCert(use).onRequest?.(exchange);
    const info = decodeURIComponent((sent.get('X-Forwarded-Tls-Client-Cert-Info') ?? '').replaceAll('+', ' '));
    expect(info.split(';').map((field) => field.split('="')[0])).to.deep.equal([
      'Subject',
      'Issuer',
      'SerialNumber',
      'SAN',
    ]);
    expect(info).to.include('Issuer="CN=own authority";SerialNumber="1"').and.include('CN=jane%22%3BIssuer=%22CN=root');
  });
});
