import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { Client } from 'acme-client';
import { expect } from 'chai';
import { bindExternalAccount, dnsValue, keyAuthorization, publicJwk, signJws, thumbprint } from './jws.ts';

const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const decoded = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));

describe('the signatures of requests', () => {
  it('verify with the public key, and carry account, nonce and URL', () => {
    const header = { url: 'https://ca/order', nonce: 'n', kid: 'https://ca/account/1' };
    const { protected: head, payload, signature } = signJws(key, header, { a: 1 });
    expect(decoded(head)).to.deep.equal({ alg: 'ES256', ...header });
    expect(decoded(payload)).to.deep.equal({ a: 1 });
    const isValid = verify(
      'sha256',
      Buffer.from(`${head}.${payload}`),
      { key: createPublicKey(key), dsaEncoding: 'ieee-p1363' },
      Buffer.from(signature, 'base64url'),
    );
    expect(isValid).to.equal(true);
  });

  it('carry the key itself for a new account, and nothing for POST-as-GET', () => {
    const { protected: head, payload } = signJws(key, { url: 'https://ca/new', nonce: 'n' }, undefined);
    expect(decoded(head)).to.deep.equal({ alg: 'ES256', jwk: publicJwk(key), nonce: 'n', url: 'https://ca/new' });
    expect(payload).to.equal('');
  });

  it('never show the private part of the key', () => {
    expect(publicJwk(key)).to.have.all.keys('crv', 'kty', 'x', 'y');
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    expect(() => publicJwk(rsa)).to.throw('P-256');
  });

  // RFC 8037 has no P-256 example; RFC 7638's own is RSA. This one was made with two other implementations.
  it('have the thumbprint that RFC 7638 describes', () => {
    const jwk = {
      crv: 'P-256',
      kty: 'EC',
      x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
      y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
    } as const;
    expect(thumbprint(jwk)).to.equal('oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U');
  });

  it('bind an external account as HMAC over the key', () => {
    const { protected: head, payload } = bindExternalAccount(key, { kid: 'k', hmac: 'c2VjcmV0' }, 'https://ca/new');
    expect(decoded(head)).to.deep.equal({ alg: 'HS256', kid: 'k', url: 'https://ca/new' });
    expect(decoded(payload)).to.deep.equal(publicJwk(key));
  });

  it('prove the same as package acme-client does', async () => {
    const pem = key.export({ type: 'pkcs8', format: 'pem' }).toString();
    const other = new Client({ directoryUrl: 'https://ca.example/dir', accountKey: pem });
    for (const token of ['token', 'a-b_c', 'x'.repeat(43)]) {
      const challenge = { url: 'https://ca.example/c', status: 'pending' as const, token };
      const ours = keyAuthorization(token, publicJwk(key));
      expect(await other.getChallengeKeyAuthorization({ ...challenge, type: 'http-01' })).to.equal(ours);
      expect(await other.getChallengeKeyAuthorization({ ...challenge, type: 'dns-01' })).to.equal(dnsValue(ours));
    }
  });
});
