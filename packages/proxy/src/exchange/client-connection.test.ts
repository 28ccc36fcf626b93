import { expect } from 'chai';
import { clientOf, trustedProxies } from './client-connection.ts';

describe('the client behind a connection', () => {
  const trusted = trustedProxies(['10.0.0.0/8', '2001:db8::/32', '192.0.2.7']);
  const client = (peerAddress: string, headers: Record<string, string>) =>
    clientOf(
      { peerAddress, peerTrusted: trusted(peerAddress), entryPort: 80, secure: false, certificateVerified: false },
      (name) => headers[name],
      trusted,
    );

  const cases = [
    ['no proxy in front', '9.9.9.9', '1.1.1.1', '9.9.9.9'],
    ['a trusted proxy', '10.0.0.1', '1.1.1.1', '1.1.1.1'],
    ['a forged beginning', '10.0.0.1', '8.8.8.8, 1.1.1.1', '1.1.1.1'],
    ['a chain of trusted proxies', '10.0.0.1', '1.1.1.1, 192.0.2.7, 10.9.9.9', '1.1.1.1'],
    ['only trusted proxies', '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['IPv6', '2001:db8::1', '2001:470::5', '2001:470::5'],
    ['an entry that cannot be read', '10.0.0.1', '1.1.1.1, unknown', 'unknown'],
  ] as const;
  for (const [what, peer, forwardedFor, address] of cases)
    it(`has the right address with ${what}`, () => {
      expect(client(peer, { 'x-forwarded-for': forwardedFor }).address).to.equal(address);
    });

  it('has the scheme that a trusted proxy sent; others are ignored', () => {
    expect(client('10.0.0.1', { 'x-forwarded-proto': 'https' }).scheme).to.equal('https');
    expect(client('10.0.0.1', { 'x-forwarded-proto': 'gopher' }).scheme).to.equal('http');
    expect(client('9.9.9.9', { 'x-forwarded-proto': 'https' }).scheme).to.equal('http');
    expect(client('10.0.0.1', { 'x-forwarded-proto': 'WSS' }).scheme).to.equal('https');
    expect(client('10.0.0.1', { 'x-forwarded-proto': 'ws' }).scheme).to.equal('http');
    expect(client('9.9.9.9', { 'x-forwarded-proto': 'wss' }).scheme).to.equal('http');
  });

  it('has the scheme of its connection where a trusted proxy sent none', () => {
    const secured = {
      peerAddress: '10.0.0.1',
      peerTrusted: true,
      entryPort: 443,
      secure: true,
      certificateVerified: false,
    };
    const schemeOf = (sent: string | undefined) =>
      clientOf(secured, (name) => (name === 'x-forwarded-proto' ? sent : undefined), trusted).scheme;
    expect(['ws', undefined, 'gopher', 'toString'].map(schemeOf)).to.deep.equal(['http', 'https', 'https', 'https']);
  });

  it('has the port that a trusted proxy sent, where it is one', () => {
    const portOf = (peer: string, sent: string) => client(peer, { 'x-forwarded-port': sent }).forwardedPort;
    expect(portOf('10.0.0.1', '8443')).to.equal(8443);
    expect(portOf('9.9.9.9', '8443')).to.equal(undefined);
    for (const none of ['', '0', '65536', '443, 80', '0x50', 'https'])
      expect(portOf('10.0.0.1', none)).to.equal(undefined);
  });

  it('is an IPv4 address on a socket of both families, too', () => {
    expect(trusted('::ffff:10.0.0.7')).to.equal(true);
  });

  it('refuses a list that cannot be read, naming the entry', () => {
    expect(() => trustedProxies(['10.0.0.0/8', 'everyone'])).to.throw(RangeError, /TRUSTED_PROXIES: "everyone"/);
  });
});
