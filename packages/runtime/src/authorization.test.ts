import { expect } from 'chai';
import { authorizeChange, carriesToken } from './authorization.ts';

const local = { remoteAddress: '127.0.0.1', headers: { host: 'localhost:8080' } };
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe('authorizing a change', () => {
  const withoutToken = [
    ['the machine itself', {}, 'allowed'],
    ['a Host of 127.0.0.1', { host: '127.0.0.1:8080' }, 'allowed'],
    ['a Host of [::1]', { host: '[::1]:8080' }, 'allowed'],
    ['a Host in capitals', { host: 'LOCALHOST' }, 'allowed'],
    ['an address typed into a browser', { 'sec-fetch-site': 'none' }, 'allowed'],
    ['a rebound host name', { host: 'evil.example:8080' }, 'loopback-only'],
    ['a host that begins like loopback', { host: 'localhost.evil.example' }, 'loopback-only'],
    ['no Host', { host: undefined }, 'loopback-only'],
    ['a page of another origin', { origin: 'https://evil.example' }, 'loopback-only'],
    ['a page of the null origin', { origin: 'null' }, 'loopback-only'],
    ['an image tag elsewhere', { 'sec-fetch-site': 'cross-site' }, 'loopback-only'],
    ['a page of this port', { origin: 'http://localhost:8080', 'sec-fetch-site': 'same-origin' }, 'allowed'],
    [
      'a page of this port that reads',
      { 'sec-fetch-site': 'same-origin', referer: 'http://localhost:8080/' },
      'allowed',
    ],
    ['a page of another port', { origin: 'http://localhost:8000' }, 'loopback-only'],
    ['a page of port 80', { origin: 'http://localhost' }, 'loopback-only'],
    ['a page of another port that reads', { referer: 'http://localhost:8000/' }, 'loopback-only'],
    [
      'a page of a rebound host, on this port',
      { host: 'evil.example:8080', origin: 'http://evil.example:8080' },
      'loopback-only',
    ],
    ['a page of the same site', { 'sec-fetch-site': 'same-site' }, 'loopback-only'],
    ['a reverse proxy before us', { 'x-forwarded-for': '10.0.0.7' }, 'loopback-only'],
    ['a reverse proxy that only names the host', { 'x-forwarded-host': 'shop' }, 'loopback-only'],
    ['an image tag in a browser without Sec-Fetch-Site', { referer: 'https://evil.example/' }, 'loopback-only'],
    ['another Swarmgate proxy', { 'swarmgate-hops': '1' }, 'loopback-only'],
    ['a reverse proxy that only sends Via', { via: '1.1 swarmgate-0' }, 'loopback-only'],
    ['a reverse proxy with a header of its own', { 'x-real-ip': '10.0.0.7' }, 'loopback-only'],
    ['a reverse proxy of RFC 7239', { forwarded: 'for=10.0.0.7' }, 'loopback-only'],
  ] as const;
  for (const [title, headers, kind] of withoutToken) {
    it(`without a token: ${title} is ${kind}`, () => {
      expect(authorizeChange(undefined, { ...local, headers: { ...local.headers, ...headers } }).kind).to.equal(kind);
    });
  }

  for (const [address, kind] of [
    ['127.8.9.1', 'allowed'],
    ['::1', 'allowed'],
    ['::ffff:127.0.0.1', 'allowed'],
    ['10.0.0.7', 'loopback-only'],
    ['::ffff:10.0.0.7', 'loopback-only'],
    ['127.0.0.1.evil', 'loopback-only'],
    [undefined, 'loopback-only'],
  ] as const) {
    it(`without a token: a call from ${address} is ${kind}`, () => {
      expect(authorizeChange(undefined, { ...local, remoteAddress: address }).kind).to.equal(kind);
    });
  }

  it('names how to set a token where it refuses without one', () => {
    const refusal = authorizeChange(undefined, { ...local, remoteAddress: '10.0.0.7' });
    expect(refusal).to.have.property('message').that.includes('ADMIN_TOKEN').and.includes('Authorization: Bearer');
  });

  for (const [title, headers, kind] of [
    ['the token', bearer('s3cret'), 'allowed'],
    ['the token with a scheme in small letters', { authorization: 'bearer s3cret' }, 'allowed'],
    ['another token', bearer('s3cres'), 'token-needed'],
    ['a longer one', bearer('s3cret2'), 'token-needed'],
    ['basic credentials', { authorization: 'Basic s3cret' }, 'token-needed'],
    ['no token', {}, 'token-needed'],
  ] as const) {
    it(`with a token: a call from loopback with ${title} is ${kind}`, () => {
      const headers_ = { ...local.headers, ...headers };
      expect(authorizeChange('s3cret', { ...local, headers: headers_ }).kind).to.equal(kind);
    });
  }

  it('takes every call where the token is `none`', () => {
    const anyone = { remoteAddress: '10.0.0.7', headers: { host: 'evil.example', origin: 'https://evil.example' } };
    expect(authorizeChange('none', anyone).kind).to.equal('allowed');
  });
});

describe('a token in Authorization', () => {
  const basic = (credentials: string) => `Basic ${Buffer.from(credentials).toString('base64')}`;
  for (const [title, authorization, carried] of [
    ['as bearer', 'Bearer s3:cret', true],
    ['as a password', basic('ops:s3:cret'), true],
    ['as a password without a user', basic(':s3:cret'), true],
    ['with the scheme in small letters', basic('ops:s3:cret').replace('Basic', 'basic'), true],
    ['as a user name', basic('s3:cret:'), false],
    ['without a colon', basic('secret'), false],
    ['longer', basic('ops:s3:cret2'), false],
    ['shorter', basic('ops:s3'), false],
    ['empty', basic('ops:'), false],
    ['not in base64', 'Basic ops:s3:cret', false],
    ['with an empty value', 'Basic ', false],
    ['of another scheme', 'Digest s3:cret', false],
    ['absent', undefined, false],
  ] as const)
    it(`${title} is ${carried ? 'taken' : 'refused'}`, () => {
      expect(carriesToken(authorization, 's3:cret')).to.equal(carried);
    });
});
