import { expect } from 'chai';
import { foreignPage } from './page-origin.ts';

const host = 'ops.example:8500';
const own = { origin: `https://${host}` };
const navigation = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };

describe('a call of Consul’s UI by a page', () => {
  const cases = [
    ['a program', 'PUT', '/v1/kv/a', {}, true],
    ['the UI itself', 'PUT', '/v1/kv/a', { ...own, 'sec-fetch-site': 'same-origin' }, true],
    ['the UI itself, in capitals', 'PUT', '/v1/kv/a', { origin: 'HTTPS://OPS.example:8500' }, true],
    ['the UI itself, reading', 'GET', '/v1/kv/a', { 'sec-fetch-site': 'same-origin' }, true],
    ['the UI itself, in a browser without Sec-Fetch', 'GET', '/v1/kv/a', { referer: `https://${host}/ui/` }, true],
    ['an address typed in', 'GET', '/v1/kv/a', { 'sec-fetch-site': 'none' }, true],
    ['a link elsewhere to the UI', 'GET', '/ui/', { 'sec-fetch-site': 'cross-site', ...navigation }, true],
    ['a link elsewhere to the root', 'GET', '/', { 'sec-fetch-site': 'same-site', ...navigation }, true],
    ['a link elsewhere to a value', 'GET', '/v1/kv/a', { 'sec-fetch-site': 'cross-site', ...navigation }, false],
    ['a path that only begins like the UI', 'GET', '/uix', { 'sec-fetch-site': 'cross-site', ...navigation }, false],
    [
      'a frame elsewhere',
      'GET',
      '/ui/',
      { 'sec-fetch-site': 'cross-site', ...navigation, 'sec-fetch-dest': 'iframe' },
      false,
    ],
    ['an image tag elsewhere', 'GET', '/v1/kv/a', { 'sec-fetch-site': 'cross-site' }, false],
    ['a page of another port', 'GET', '/v1/kv/a', { 'sec-fetch-site': 'same-site' }, false],
    ['a script elsewhere', 'GET', '/v1/kv/a', { origin: 'https://evil.example' }, false],
    ['a script elsewhere, for the UI', 'GET', '/ui/', { origin: 'https://evil.example', ...navigation }, false],
    ['a form elsewhere', 'POST', '/ui/', { origin: 'https://evil.example' }, false],
    ['a form elsewhere that says nothing but its Referer', 'POST', '/ui/', { referer: 'https://evil.example/' }, false],
    ['an image in a browser without Sec-Fetch', 'GET', '/v1/kv/a', { referer: 'https://evil.example/' }, false],
    ['a sandboxed frame', 'PUT', '/v1/kv/a', { origin: 'null' }, false],
    ['an Origin in doubt', 'PUT', '/v1/kv/a', { ...own, 'sec-fetch-site': 'cross-site' }, false],
    [
      'a Sec-Fetch-Site in doubt',
      'PUT',
      '/v1/kv/a',
      { origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' },
      false,
    ],
    ['another port of the host', 'PUT', '/v1/kv/a', { origin: 'https://ops.example:8080' }, false],
    ['the host without TLS', 'PUT', '/v1/kv/a', { origin: `http://${host}` }, false],
    ['a host that begins alike', 'PUT', '/v1/kv/a', { origin: `https://${host}.evil.example` }, false],
    ['a host in a user name', 'PUT', '/v1/kv/a', { origin: `https://${host}@evil.example` }, false],
    ['an Origin that is none', 'PUT', '/v1/kv/a', { origin: 'file://' }, false],
    ['an empty Origin', 'PUT', '/v1/kv/a', { origin: '' }, false],
  ] as const;
  for (const [who, method, path, headers, allowed] of cases)
    it(`${who}: ${method} ${path} is ${allowed ? 'looked at' : 'refused'}`, () => {
      const objection = foreignPage({ method, path, headers: { host, ...headers }, secure: true });
      if (allowed) expect(objection).to.equal(undefined);
      else expect(objection).to.be.a('string');
    });

  it('takes https as well where a load balancer ends TLS', () => {
    for (const origin of [`https://${host}`, `http://${host}`])
      expect(foreignPage({ method: 'PUT', path: '/', headers: { host, origin }, secure: false })).to.equal(undefined);
  });

  it('takes default ports into account', () => {
    const headers = { host: 'ops.example:443', origin: 'https://ops.example' };
    expect(foreignPage({ method: 'PUT', path: '/', headers, secure: true })).to.equal(undefined);
  });

  it('refuses an Origin where no Host says what is its own', () => {
    expect(foreignPage({ method: 'PUT', path: '/', headers: { ...own }, secure: true })).to.be.a('string');
  });
});
