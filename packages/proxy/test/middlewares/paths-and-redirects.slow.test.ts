import { type LabelCase, requests, runLabelCases } from './label-case.ts';

const paths: readonly LabelCase[] = [
  {
    what: 'stripPrefix',
    labels: { stripPrefix: '/api' },
    request: { path: '/api/x?a=b' },
    target: '/x?a=b',
    gets: { 'x-forwarded-prefix': '/api' },
  },
  {
    what: 'stripPrefix, the first that fits',
    labels: { stripPrefix: '/b,/api,/' },
    request: { path: '/api/x' },
    target: '/x',
  },
  { what: 'stripPrefix of the whole path', labels: { stripPrefix: '/api' }, request: { path: '/api' }, target: '/' },
  {
    what: 'stripPrefix compares as text, as Traefik does',
    labels: { stripPrefix: '/api' },
    request: { path: '/apiary' },
    target: '/ary',
  },
  {
    what: 'stripPrefix that does not fit',
    labels: { stripPrefix: '/api' },
    request: { path: '/x%2Fy' },
    target: '/x%2Fy',
    gets: { 'x-forwarded-prefix': undefined },
  },
  {
    what: 'stripPrefix: a client’s own prefix goes',
    labels: { stripPrefix: '/api' },
    request: { path: '/x', headers: { 'x-forwarded-prefix': '/evil', X_Forwarded_Prefix: '/evil' } },
    gets: { 'x-forwarded-prefix': undefined, x_forwarded_prefix: undefined },
  },
  {
    what: 'two prefixes in turn',
    labels: { middlewares: 'stripPrefix(/a),stripPrefix(/b)' },
    request: { path: '/a/b/c' },
    target: '/c',
    gets: { 'x-forwarded-prefix': '/a, /b' },
  },
  {
    what: 'stripPrefixRegex',
    labels: { stripPrefixRegex: '^/[a-z]+/v[0-9]+' },
    request: { path: '/shop/v2/x' },
    target: '/x',
    gets: { 'x-forwarded-prefix': '/shop/v2' },
  },
  {
    what: 'stripPrefixRegex, a match further on',
    labels: { stripPrefixRegex: '/v[0-9]+' },
    request: { path: '/shop/v2/x' },
    target: '/shop/v2/x',
  },
  { what: 'addPrefix', labels: { addPrefix: '/v2/' }, request: { path: '/x?y' }, target: '/v2/x?y' },
  {
    what: 'stripPrefix before addPrefix, whatever the order of labels',
    labels: { addPrefix: '/v2', stripPrefix: '/v1' },
    request: { path: '/v1/x' },
    target: '/v2/x',
  },
  {
    what: 'addPrefix before stripPrefix in a list',
    labels: { middlewares: 'addPrefix(/v2),stripPrefix(/v2/v1)' },
    request: { path: '/v1/x' },
    target: '/x',
  },
  {
    what: 'replacePath',
    labels: { replacePath: '/index.html' },
    request: { path: '/a%2Fb?c' },
    target: '/index.html?c',
    gets: { 'x-replaced-path': '/a%2Fb' },
  },
  {
    what: 'replacePath: a client’s own X-Replaced-Path goes',
    labels: { replacePath: '/i' },
    request: { path: '/a', headers: { x_replaced_path: '/evil' } },
    gets: { x_replaced_path: undefined, 'x-replaced-path': '/a' },
  },
  {
    what: 'replacePathRegex',
    labels: { replacePathRegex: 'regex=^/api/(.*)/(.*),replacement=/$2/${1}$$' },
    request: { path: '/api/x/y?z' },
    target: '/y/x$?z',
    gets: { 'x-replaced-path': '/api/x/y' },
  },
  {
    what: 'replacePathRegex that does not match',
    labels: { replacePathRegex: 'regex=^/api,replacement=/x' },
    request: { path: '/a', headers: { X_Replaced_Path: '/evil' } },
    target: '/a',
    gets: { 'x-replaced-path': undefined, x_replaced_path: undefined },
  },
  {
    what: 'replacePathRegex that makes more of a path than a head may hold',
    labels: { replacePathRegex: 'regex=a,replacement=aaaaaaaaaa' },
    request: { path: `/${'a'.repeat(4_000)}` },
    is: [400, 'rewritten-path-too-long'],
  },
  {
    what: 'replacePathRegex: $1x is a group of that name, as in Go',
    labels: { replacePathRegex: 'regex=^/(a),replacement=/$1x/b' },
    request: { path: '/a' },
    target: '/b',
  },
  {
    what: 'a rewritten path is brought into normal form',
    labels: { replacePathRegex: 'regex=^/a,replacement=/x/../y' },
    request: { path: '/a' },
    target: '/y',
  },
  {
    what: 'a rewritten path that is none',
    labels: { replacePathRegex: 'regex=^/a,replacement=/%zz' },
    request: { path: '/a' },
    is: [400, 'rewritten-path-invalid'],
  },
  {
    what: 'reqPathSearchReplace follows',
    labels: { stripPrefix: '/api', reqPathSearchReplace: '^/x,/y' },
    request: { path: '/api/x' },
    target: '/y',
  },
];

const redirects: readonly LabelCase[] = [
  {
    what: 'redirectScheme',
    labels: { redirectScheme: 'https' },
    request: { path: '/a?b' },
    is: [302, 'redirected'],
    responses: { location: /^https:\/\/m\d+\.example\/a\?b$/ },
  },
  {
    what: 'redirectScheme for good',
    labels: { redirectScheme: 'https,permanent=true,port=8443' },
    is: [301, 'redirected'],
    responses: { location: /^https:\/\/m\d+\.example:8443\/$/ },
  },
  {
    what: 'redirectScheme keeps a method',
    labels: { redirectScheme: 'https,permanent=true' },
    request: { method: 'POST' },
    by: requests,
    is: [308, 'redirected'],
  },
  {
    what: 'redirectScheme behind a trusted hop that ended TLS',
    labels: { redirectScheme: 'https' },
    request: { headers: { 'x-forwarded-proto': 'https' } },
  },
  { what: 'redirectScheme to http is none of http', labels: { redirectScheme: 'http' } },
  {
    what: 'redirectRegex',
    labels: { redirectRegex: 'regex=^http://([^/]+)/old/(.*),replacement=https://new.example/$2?from=${1}' },
    request: { path: '/old/a' },
    is: [302, 'redirected'],
    responses: { location: /^https:\/\/new\.example\/a\?from=m\d+\.example$/ },
  },
  {
    what: 'redirectRegex that does not match',
    labels: { redirectRegex: 'regex=^http://[^/]+/old/,replacement=/x' },
    request: { path: '/new' },
  },
  { what: 'redirectRegex to the same URL passes', labels: { redirectRegex: 'regex=^(.*)$,replacement=$1' } },
  {
    what: 'redirectRegex to no URL',
    labels: { redirectRegex: 'regex=^.*$,replacement="a b"' },
    is: [400, 'redirect-invalid'],
  },
  {
    what: 'redirectRegex keeps a method',
    labels: { redirectRegex: 'regex=^.*$,replacement=https://a.example/' },
    request: { method: 'PUT' },
    by: requests,
    is: [307, 'redirected'],
  },
  {
    what: 'a redirect stands before authentication',
    labels: { redirectScheme: 'https', users: 'jane:pw' },
    is: [302, 'redirected'],
  },
];

const hosts: readonly LabelCase[] = [
  {
    what: 'passHostHeader=false sends the address of the service',
    labels: { passHostHeader: 'false' },
    gets: { host: /^127\.0\.0\.1:\d+$/, 'x-forwarded-host': /^m\d+\.example$/ },
  },
  {
    what: 'passHostHeader=false with steps that change the request',
    labels: { passHostHeader: 'false', stripPrefix: '/a', headers: 'request.X-A=b' },
    request: { path: '/a/b' },
    target: '/b',
    gets: { host: /^127\.0\.0\.1:\d+$/, 'x-a': 'b' },
  },
  {
    what: 'passHostHeader=true sends what the client sent',
    labels: { passHostHeader: 'true' },
    gets: { host: /^m\d+\.example$/ },
  },
];

runLabelCases('middleware of paths', paths);
runLabelCases('Host of the service', hosts);
runLabelCases('middleware of redirects', redirects, { env: { TRUSTED_PROXIES: '127.0.0.1' } });
