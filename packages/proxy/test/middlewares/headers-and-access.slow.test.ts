import { type LabelCase, requests, runLabelCases } from './label-case.ts';

const preflight = {
  method: 'OPTIONS',
  headers: { origin: 'https://a.example', 'access-control-request-method': 'PUT' },
};
const cors =
  'allowOrigins=https://a.example,allowMethods=GET PUT,allowHeaders=X-A,maxAge=60,allowCredentials=true,exposeHeaders=X-B';

const headers: readonly LabelCase[] = [
  {
    what: 'request headers, in every spelling',
    labels: { headers: 'request.X-User=route,request.X-Gone=' },
    request: { headers: { X_User: 'root', 'x-gone': '1', x_gone: '2' } },
    gets: { 'x-user': 'route', x_user: undefined, 'x-gone': undefined, x_gone: undefined },
  },
  {
    what: 'response headers',
    labels: { headers: 'response.X-A="a, b",response.X-Powered-By=' },
    responses: { 'x-a': 'a, b', 'x-powered-by': undefined },
  },
  {
    what: 'no cookie of the console is set',
    labels: { headers: 'response.Set-Cookie=swarmgate_session=x; Path=/' },
    responses: { 'set-cookie': undefined },
  },
  {
    what: 'no cookie of the console is set by labels of Docker Flow',
    labels: { addResHeader: 'Set-Cookie __Host-swarmgate_session=x' },
    responses: { 'set-cookie': undefined },
  },
  {
    what: 'no cookie of the console is set by a response of the proxy',
    labels: { middlewares: 'headers(response.Set-Cookie=swarmgate_session=x),ipAllowList(10.9.9.9)' },
    is: [403, 'address-denied'],
    responses: { 'set-cookie': undefined },
  },
  {
    what: 'the last of a list is nearest to the service',
    labels: { middlewares: 'headers(response.X-A=outer),headers(response.X-A=inner)' },
    responses: { 'x-a': 'outer' },
  },
  {
    what: 'security headers',
    labels: {
      headers:
        'frameDeny=true,contentTypeNosniff=true,browserXssFilter=true,referrerPolicy=same-origin,contentSecurityPolicy="default-src \'self\'; img-src *",permissionsPolicy=camera=(),stsSeconds=10',
    },
    responses: {
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
      'x-xss-protection': '1; mode=block',
      'referrer-policy': 'same-origin',
      'content-security-policy': "default-src 'self'; img-src *",
      'permissions-policy': 'camera=()',
      'strict-transport-security': undefined,
    },
  },
  {
    what: 'STS over https',
    labels: { headers: 'stsSeconds=10,stsIncludeSubdomains=true,stsPreload=true' },
    request: { headers: { 'x-forwarded-proto': 'https' } },
    responses: { 'strict-transport-security': 'max-age=10; includeSubDomains; preload' },
  },
  {
    what: 'STS over http where it is forced',
    labels: { headers: 'stsSeconds=10,forceSts=true' },
    responses: { 'strict-transport-security': 'max-age=10' },
  },
  {
    what: 'frameOptions',
    labels: { headers: 'frameDeny=true,frameOptions=SAMEORIGIN' },
    responses: { 'x-frame-options': 'SAMEORIGIN' },
  },
  {
    what: 'a preflight is served',
    labels: { headers: cors },
    request: preflight,
    by: requests,
    is: [200, 'cors-preflight'],
    responses: {
      'access-control-allow-origin': 'https://a.example',
      'access-control-allow-methods': 'GET,PUT',
      'access-control-allow-headers': 'X-A',
      'access-control-max-age': '60',
      'access-control-allow-credentials': 'true',
      vary: 'Origin',
    },
  },
  {
    what: 'a preflight of another origin gets no leave',
    labels: { headers: cors },
    request: { ...preflight, headers: { ...preflight.headers, origin: 'https://b.example' } },
    by: requests,
    is: [200, 'cors-preflight'],
    responses: { 'access-control-allow-origin': undefined },
  },
  {
    what: 'a preflight is served before authentication',
    labels: { headers: cors, forwardAuth: 'http://OTHER/', users: 'jane:pw' },
    request: preflight,
    by: requests,
    is: [200, 'cors-preflight'],
  },
  {
    what: 'OPTIONS that is no preflight passes',
    labels: { headers: cors },
    request: { method: 'OPTIONS', headers: { origin: 'https://a.example' } },
    by: requests,
    responses: { 'access-control-allow-origin': 'https://a.example' },
  },
  {
    what: 'without CORS options preflights pass',
    labels: { headers: 'frameDeny=true' },
    request: preflight,
    by: requests,
    responses: { 'access-control-allow-origin': undefined },
  },
  {
    what: 'an allowed origin may read',
    labels: { headers: cors },
    request: { headers: { origin: 'https://a.example' } },
    responses: {
      'access-control-allow-origin': 'https://a.example',
      'access-control-expose-headers': 'X-B',
      vary: 'Origin',
    },
  },
  {
    what: 'another origin may not',
    labels: { headers: cors },
    request: { headers: { origin: 'https://a.example.evil' } },
    responses: {
      'access-control-allow-origin': undefined,
      'access-control-allow-credentials': undefined,
      vary: 'Origin',
    },
  },
  {
    what: 'every origin',
    labels: { headers: 'allowOrigins=*' },
    request: { headers: { origin: 'https://x.example' } },
    responses: { 'access-control-allow-origin': '*', vary: undefined },
  },
  {
    what: 'origins by expression',
    labels: { headers: 'allowOriginsRegex=^https://[a-z]+\\.example$' },
    request: { headers: { origin: 'https://x.example' } },
    responses: { 'access-control-allow-origin': 'https://x.example' },
  },
  {
    what: 'a script may read the 401 of a step behind',
    labels: { headers: cors, users: 'jane:pw' },
    request: { headers: { origin: 'https://a.example' } },
    is: [401, 'credentials-required'],
    responses: { 'access-control-allow-origin': 'https://a.example' },
  },
  {
    what: 'a response of a step before has none',
    labels: { headers: 'response.X-A=1', redirectScheme: 'https' },
    is: [302, 'redirected'],
    responses: { 'x-a': undefined },
  },
  {
    what: 'a 502 has them too',
    labels: { headers: 'response.X-A=1', port: '1' },
    is: [502, 'endpoint-unreachable'],
    responses: { 'x-a': '1' },
  },
];

const access: readonly LabelCase[] = [
  { what: 'ipAllowList', labels: { ipAllowList: '127.0.0.0/8' }, request: {} },
  { what: 'ipAllowList, not this one', labels: { ipAllowList: '10.0.0.0/8' }, is: [403, 'address-denied'] },
  {
    what: 'ipAllowList with a status',
    labels: { ipAllowList: '10.0.0.0/8,rejectStatus=404' },
    is: [404, 'address-denied'],
  },
  {
    what: 'ipAllowList takes the client of the trusted hop',
    labels: { ipAllowList: '192.0.2.7' },
    request: { headers: { 'x-forwarded-for': '192.0.2.7' } },
  },
  {
    what: 'depth 1 is the last that the hop sent',
    labels: { ipAllowList: '192.0.2.7,depth=1' },
    request: { headers: { 'x-forwarded-for': '203.0.113.1, 192.0.2.7' } },
  },
  {
    what: 'depth 2 is the one before',
    labels: { ipAllowList: '192.0.2.7,depth=2' },
    request: { headers: { 'x-forwarded-for': '203.0.113.1, 192.0.2.7' } },
    is: [403, 'address-denied'],
  },
  {
    what: 'a depth that there is not',
    labels: { ipAllowList: '0.0.0.0/0,depth=3' },
    request: { headers: { 'x-forwarded-for': '192.0.2.7' } },
    is: [403, 'address-denied'],
  },
  {
    what: 'excluded addresses are passed over',
    labels: { ipAllowList: '203.0.113.1,excludedIps=192.0.2.0/24' },
    request: { headers: { 'x-forwarded-for': '10.9.9.9, 203.0.113.1, 192.0.2.7' } },
  },
  {
    what: 'encodedCharacters',
    labels: { encodedCharacters: 'allowEncodedHash=true' },
    request: { path: '/a%2Fb' },
    is: [400, 'encoded-character'],
  },
  {
    what: 'encodedCharacters, allowed',
    labels: { encodedCharacters: 'allowEncodedSlash=true' },
    request: { path: '/a%2fb' },
    target: '/a%2fb',
  },
  {
    what: 'encodedCharacters, another one',
    labels: { encodedCharacters: 'allowEncodedSlash=true' },
    request: { path: '/a%3fb' },
    is: [400, 'encoded-character'],
  },
  {
    what: 'encodedCharacters: a backslash that the client sent as it is, which is compared as %5C',
    labels: { encodedCharacters: 'allowEncodedHash=true' },
    request: { path: '/a\\b' },
    target: '/a\\b',
  },
  {
    what: 'encodedCharacters, none in the path',
    labels: { encodedCharacters: 'allowEncodedHash=true' },
    request: { path: '/a%20b?c=%2F' },
  },
  {
    what: 'buffering: a length over the limit',
    labels: { buffering: 'maxRequestBody=3' },
    request: { method: 'POST', body: 'abcd', headers: { 'content-length': '4' } },
    by: requests,
    is: [413, 'request-too-large'],
  },
  {
    what: 'buffering: a body without a length over the limit',
    labels: { buffering: 'maxRequestBody=3' },
    request: { method: 'POST', body: 'abcd', headers: { 'transfer-encoding': 'chunked' } },
    by: ['HTTP/1.1'],
    is: [413, 'body-too-large'],
  },
  {
    what: 'buffering: a body as large as the limit',
    labels: { buffering: 'maxRequestBody=4' },
    request: { method: 'POST', body: 'abcd' },
    by: requests,
  },
  {
    what: 'allowedHosts, another host',
    labels: { allowedHosts: 'shop.example' },
    is: [403, 'host-denied'],
  },
  {
    what: 'allowedHosts, one of them',
    labels: { allowedHosts: Array.from({ length: 90 }, (_, number) => `M${number}.example:8080`).join(' ') },
  },
  {
    what: 'allowedHosts of a list, before the users',
    labels: { middlewares: 'allowedHosts(shop.example)', users: 'jane:pw' },
    is: [403, 'host-denied'],
  },
  {
    what: 'passTLSClientCert removes what the client claims, in every spelling',
    labels: { passTLSClientCert: 'pem=true,subjectCommonName=true' },
    request: {
      headers: {
        'X-Forwarded-Tls-Client-Cert': 'forged',
        X_Forwarded_Tls_Client_Cert: 'forged',
        'X-Forwarded-Tls-Client-Cert-Info': 'Subject="CN=root"',
        'x-forwarded-tls_client-cert-info': 'Subject="CN=root"',
      },
    },
    gets: {
      'x-forwarded-tls-client-cert': undefined,
      x_forwarded_tls_client_cert: undefined,
      'x-forwarded-tls_client-cert-info': undefined,
      'x-forwarded-tls-client-cert-info': undefined,
    },
  },
  {
    what: 'passTLSClientCert of a list does so without options',
    labels: { middlewares: 'passTLSClientCert(pem=false)' },
    request: { headers: { 'X-Forwarded-Tls-Client-Cert': 'forged' } },
    gets: { 'x-forwarded-tls-client-cert': undefined },
  },
  {
    what: 'compress by a coding that the client takes',
    labels: { middlewares: 'compress(algorithms=br gzip,minResponseBody=0)' },
    request: { headers: { 'accept-encoding': 'gzip' } },
    by: requests,
    responses: { 'content-encoding': 'gzip' },
  },
  {
    what: 'compress by none that the client takes',
    labels: { middlewares: 'compress(algorithms=br,minResponseBody=0)' },
    request: { headers: { 'accept-encoding': 'gzip' } },
    by: requests,
    responses: { 'content-encoding': undefined },
    body: 'served',
  },
  {
    what: 'compress of a type that is excluded',
    labels: { middlewares: 'compress(minResponseBody=0,excludedTypes=text/plain)' },
    request: { headers: { 'accept-encoding': 'gzip' } },
    by: requests,
    responses: { 'content-encoding': undefined },
    body: 'served',
  },
  {
    what: 'compress of less than the least size',
    labels: { middlewares: 'compress(minResponseBody=1KB)' },
    request: { headers: { 'accept-encoding': 'gzip' } },
    by: requests,
    responses: { 'content-encoding': undefined },
    body: 'served',
  },
  {
    what: 'retry and contentType change nothing of a good request',
    labels: { retry: '2', contentType: 'autoDetect=true' },
  },
];

const trusted = { env: { TRUSTED_PROXIES: '127.0.0.1' } };
runLabelCases('headers', headers, {
  ...trusted,
  backend: (_call, response) => response.writeHead(200, { 'X-Powered-By': 'php' }).end('served'),
});
runLabelCases('middleware of access', access, {
  ...trusted,
  backend: (_call, response) =>
    response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': '6' }).end('served'),
});
