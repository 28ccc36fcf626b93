import { expect } from 'chai';
import { type AuthCase, denied, html, only, requests } from './auth-case.ts';
import { authelia, authentik, oauth2Proxy } from './auth-services.ts';

/** What the presets make of the contracts of three auth services. */
export const authContractCases: readonly AuthCase[] = [
  {
    what: 'authelia: lets a session pass with its headers, and its cookie reaches the client',
    labels: { forwardAuth: 'http://AUTH,preset=authelia' },
    auth: authelia,
    request: { path: '/a/b?c=d', headers: { cookie: 'authelia_session=jane', 'remote-user': 'root' } },
    expect: (given, { auth, backend }) => {
      expect(given.status).to.be.oneOf([200, 101]);
      expect(only(backend).header('remote-user')).to.equal('jane');
      expect(only(backend).header('remote-groups')).to.equal('admins,dev');
      expect(only(auth).url).to.equal('/api/authz/forward-auth');
      expect(only(auth).header('x-forwarded-uri')).to.equal('/a/b?c=d');
      expect(only(auth).header('x-forwarded-proto')).to.equal('http');
      expect(only(auth).header('x-forwarded-for')).to.equal('127.0.0.1');
      expect(given.headers['set-cookie']).to.equal('authelia_session=jane; Path=/; HttpOnly');
    },
  },
  {
    what: 'authelia: redirects a browser to its portal',
    labels: { forwardAuth: 'http://AUTH,preset=authelia' },
    auth: authelia,
    request: { path: '/a', headers: html },
    by: requests,
    expect: (given, seen) => {
      denied(302, 'auth-denied')(given, seen);
      expect(given.headers.location).to.match(/^https:\/\/auth\.example\.com\/\?rd=http%3A%2F%2F.*%2Fa&rm=GET$/);
      expect(given.body).to.contain('Found');
    },
  },
  {
    what: 'authelia: responds with 401 to other clients, whole',
    labels: { forwardAuth: 'http://AUTH,preset=authelia' },
    auth: authelia,
    request: { headers: { accept: 'application/json' } },
    expect: (given, seen) => {
      denied(401, 'auth-denied')(given, seen);
      expect(given.headers['content-type']).to.equal('text/html; charset=utf-8');
      expect(given.body).to.contain('Unauthorized');
    },
  },
  {
    what: 'authelia: 403 for a user who may not',
    labels: { forwardAuth: 'http://AUTH,preset=authelia' },
    auth: authelia,
    request: { path: '/forbidden', headers: { cookie: 'authelia_session=jane' } },
    expect: (given, seen) => {
      denied(403, 'auth-denied')(given, seen);
      expect(given.body).to.equal('403 Forbidden');
    },
  },
  {
    what: 'authentik: redirects to its own path with all its cookies',
    labels: { forwardAuth: 'http://AUTH,preset=authentik' },
    auth: authentik,
    request: { path: '/a' },
    expect: (given, seen) => {
      denied(302, 'auth-denied')(given, seen);
      expect(given.headers.location).to.contain('/outpost.goauthentik.io/start?rd=');
      expect(given.headers['set-cookie']).to.equal('authentik_proxy_ab12=pending; Path=/\nauthentik_csrf=1; Path=/');
    },
  },
  {
    what: 'authentik: its own path is served by it, body and all, without a check',
    labels: { forwardAuth: 'http://AUTH,preset=authentik' },
    auth: authentik,
    request: { method: 'POST', path: '/outpost.goauthentik.io/callback?x=1', body: 'code' },
    by: requests,
    expect: (given, { auth, backend }) => {
      expect(given.status).to.equal(200);
      expect(given.body).to.match(/^outpost POST \/outpost\.goauthentik\.io\/callback\?x=1 for c\d+\.example: code$/);
      expect(auth).to.have.length(1);
      expect(backend).to.have.length(0);
    },
  },
  {
    what: 'authentik: a path that only begins like its own is guarded',
    labels: { forwardAuth: 'http://AUTH,preset=authentik' },
    auth: authentik,
    request: { path: '/outpost.goauthentik.iox' },
    expect: denied(302, 'auth-denied'),
  },
  {
    what: 'authentik: copies its headers only, never the others',
    labels: { forwardAuth: 'http://AUTH,preset=authentik' },
    auth: authentik,
    request: { headers: { cookie: 'authentik_proxy_ab12=jane', 'x-authentik-groups': 'root' } },
    expect: (_given, { backend }) => {
      expect(only(backend).header('x-authentik-username')).to.equal('jane');
      expect(only(backend).header('x-authentik-groups')).to.equal('admins|dev');
      expect(only(backend).header('x-powered-by')).to.equal(undefined);
    },
  },
  {
    what: 'oauth2-proxy: 202 passes, its cookies reach the client',
    labels: { forwardAuth: 'http://AUTH,preset=oauth2-proxy' },
    auth: oauth2Proxy,
    request: { headers: { cookie: '_oauth2_proxy=jane' } },
    expect: (given, { backend }) => {
      expect(only(backend).header('x-auth-request-user')).to.equal('jane');
      expect(given.headers['set-cookie']).to.equal(
        '_oauth2_proxy=jane; Path=/; HttpOnly\n_oauth2_proxy_1=more; Path=/',
      );
    },
  },
  {
    what: 'oauth2-proxy: 401 redirects a browser to the sign-in page',
    labels: { forwardAuth: 'http://AUTH,preset=oauth2-proxy' },
    auth: oauth2Proxy,
    request: { path: '/a?b=c&d', headers: html },
    by: requests,
    expect: (given, seen) => {
      denied(302, 'auth-sign-in')(given, seen);
      expect(given.headers.location).to.equal('/oauth2/sign_in?rd=%2Fa%3Fb%3Dc%26d');
      expect(given.headers['set-cookie']).to.equal('_oauth2_proxy=; Max-Age=0');
    },
  },
  {
    what: 'oauth2-proxy: 401 stays 401 for a script, for gRPC and for an upgrade',
    labels: { forwardAuth: 'http://AUTH,preset=oauth2-proxy' },
    auth: oauth2Proxy,
    request: { headers: { accept: 'text/html', 'x-requested-with': 'XMLHttpRequest' } },
    expect: denied(401, 'auth-denied'),
  },
  {
    what: 'oauth2-proxy: POST gets 401, never a redirect',
    labels: { forwardAuth: 'http://AUTH,preset=oauth2-proxy' },
    auth: oauth2Proxy,
    request: { method: 'POST', headers: html, body: 'x' },
    by: requests,
    expect: denied(401, 'auth-denied'),
  },
  {
    what: 'oauth2-proxy: the sign-in page is served by it',
    labels: { forwardAuth: 'http://AUTH,preset=oauth2-proxy' },
    auth: oauth2Proxy,
    request: { path: '/oauth2/sign_in?rd=%2F' },
    by: requests,
    expect: (given) => expect(given.body).to.equal('oauth2-proxy GET /oauth2/sign_in?rd=%2F: '),
  },
];
