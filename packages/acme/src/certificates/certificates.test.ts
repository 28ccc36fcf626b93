import { createPrivateKey, X509Certificate } from 'node:crypto';
import { crypto as other } from 'acme-client';
import { expect } from 'chai';
import { readIssued } from './issued.ts';
import { makePrivateKey, makeRequest } from './request.ts';
import { makeAlpnPairs } from './tls-alpn.ts';

describe('a signing request', () => {
  it('names DNS names and addresses, as package acme-client reads it', async () => {
    const csr = await makeRequest(['b.example.com', '*.example.com', '8.8.8.8'], createPrivateKey(makePrivateKey()));
    const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${csr.toString('base64')}\n-----END CERTIFICATE REQUEST-----`;
    const { altNames, commonName } = other.readCsrDomains(pem);
    expect([...altNames].sort()).to.deep.equal(['*.example.com', '8.8.8.8', 'b.example.com']);
    expect(commonName ?? '').to.equal('');
  });

  it('is for a key of ECDSA P-256', () => {
    const { asymmetricKeyType, asymmetricKeyDetails } = createPrivateKey(makePrivateKey());
    expect([asymmetricKeyType, asymmetricKeyDetails?.namedCurve]).to.deep.equal(['ec', 'prime256v1']);
  });

  it('makes another key each time', () => {
    expect(makePrivateKey()).to.not.equal(makePrivateKey());
  });
});

describe('the certificate of tls-alpn-01', () => {
  it('holds name and digest of the key authorization, as package acme-client checks them', async () => {
    for (const { certificate, privateKey } of await makeAlpnPairs('a.example.com', 'token.thumb', Date.now())) {
      expect(other.isAlpnCertificateAuthorizationValid(certificate, 'token.thumb')).to.equal(true);
      expect(other.isAlpnCertificateAuthorizationValid(certificate, 'token.other')).to.equal(false);
      const read = new X509Certificate(certificate);
      expect(read.subjectAltName).to.equal('DNS:a.example.com');
      expect(read.checkPrivateKey(createPrivateKey(privateKey))).to.equal(true);
    }
  });

  it('is valid for a clock that is an hour behind or ahead', async () => {
    const [pair] = await makeAlpnPairs('a.example.com', 'x', Date.UTC(2027, 0, 10));
    const { validFromDate, validToDate } = new X509Certificate(pair?.certificate ?? '');
    expect(validFromDate.getTime()).to.be.lessThan(Date.UTC(2027, 0, 9, 23));
    expect(validToDate.getTime()).to.be.greaterThan(Date.UTC(2027, 0, 10, 1));
  });
});

// The certificate of RFC 9773, appendix A, and the identifier that the RFC gives for it.
describe('what is read from a certificate', () => {
  const pem = `-----BEGIN CERTIFICATE-----
MIIBQzCB66ADAgECAgUAh2VDITAKBggqhkjOPQQDAjAVMRMwEQYDVQQDEwpFeGFt
cGxlIENBMCIYDzAwMDEwMTAxMDAwMDAwWhgPMDAwMTAxMDEwMDAwMDBaMBYxFDAS
BgNVBAMTC2V4YW1wbGUuY29tMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeBZu
7cbpAYNXZLbbh8rNIzuOoqOOtmxA1v7cRm//AwyMwWxyHz4zfwmBhcSrf47NUAFf
qzLQ2PPQxdTXREYEnKMjMCEwHwYDVR0jBBgwFoAUaYhba4dGQEHhs3uEe6CuLN4B
yNQwCgYIKoZIzj0EAwIDRwAwRAIge09+S5TZAlw5tgtiVvuERV6cT4mfutXIlwTb
+FYN/8oCIClDsqBklhB9KAelFiYt9+6FDj3z4KGVelYM5MdsO3pK
-----END CERTIFICATE-----`;

  it('is the identifier that RFC 9773 gives for its example', () => {
    expect(readIssued(pem).renewalId).to.equal('aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE');
  });

  it('is no identifier without an authority key identifier', async () => {
    const [pair] = await makeAlpnPairs('a.example.com', 'x', Date.now());
    expect(readIssued(pair?.certificate ?? '')).to.not.have.property('renewalId');
  });
});
