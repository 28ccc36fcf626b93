import type { IncomingHttpHeaders } from 'node:http';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

export interface Requested {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Received {
  /** 0: the response was cut. */
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What the endpoint got, or nothing where it was not queried. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface PluginCase {
  readonly what: string;
  readonly plugins: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly requested?: Requested;
  readonly expect: (responded: Received, seen: Seen | undefined) => void;
}

const failed = (reason: string, status: number) => (responded: Received, seen?: Seen) => {
  expect([responded.status, responded.headers['x-swarmgate-reason']]).to.deep.equal([status, reason]);
  expect(seen).to.equal(undefined);
};
const cut = (responded: Received) => expect(responded.status).to.equal(0);

export const pluginCases: readonly PluginCase[] = [
  {
    what: 'helmet adds its headers to what the endpoint sends',
    plugins: 'helmet(hsts=false)',
    expect: ({ status, headers }, seen) => {
      expect(status).to.equal(200);
      expect(headers).to.include({
        'x-frame-options': 'SAMEORIGIN',
        'x-content-type-options': 'nosniff',
        'x-own': 'a',
      });
      expect(headers).to.not.have.property('strict-transport-security');
      expect(headers['content-security-policy']).to.include("default-src 'self'");
      expect(seen?.url).to.equal('/');
    },
  },
  {
    what: 'cors responds to a preflight by itself',
    plugins: 'cors(origin="https://a.example,https://b.example",credentials=true,maxAge=60)',
    requested: {
      method: 'OPTIONS',
      headers: { origin: 'https://b.example', 'access-control-request-method': 'PUT' },
    },
    expect: ({ status, headers }, seen) => {
      expect(status).to.equal(204);
      expect(headers).to.include({
        'access-control-allow-origin': 'https://b.example',
        'access-control-allow-credentials': 'true',
        'access-control-max-age': '60',
      });
      expect(seen).to.equal(undefined);
    },
  },
  {
    what: 'cors names what the response depends on beside what the endpoint names',
    plugins: 'cors(origin="https://a.example")',
    requested: { headers: { origin: 'https://a.example' } },
    expect: ({ headers }) => {
      expect(headers['access-control-allow-origin']).to.equal('https://a.example');
      expect(headers.vary?.split(', ')).to.have.members(['Origin', 'Accept-Encoding']);
    },
  },
  {
    what: 'one of our own changes a header of the request, before others that are named behind it',
    plugins: 'request-header(name=X-Team,value="a, b"),request-header(name=X-Level,value=7)',
    expect: (_responded, seen) => expect(seen?.headers).to.include({ 'x-team': 'a, b', 'x-level': '7' }),
  },
  {
    what: 'one responds by itself',
    plugins: 'maintenance(retryAfter=9)',
    requested: { path: '/shop?a=1' },
    expect: ({ status, headers, body }, seen) => {
      expect([status, headers['retry-after']]).to.deep.equal([503, '9']);
      expect(JSON.parse(body)).to.deep.equal({ message: 'down for maintenance', path: '/shop?a=1' });
      expect(headers).to.not.have.property('x-swarmgate-reason');
      expect(seen).to.equal(undefined);
    },
  },
  {
    what: 'one streams',
    plugins: 'counter(lines=3,everyMs=1)',
    expect: ({ body }) => expect(body).to.equal('1\n2\n3\n'),
  },
  {
    what: 'one changes a body that streams',
    plugins: 'upper-case',
    requested: { method: 'POST', body: 'a body' },
    expect: ({ body }, seen) => {
      expect(body).to.equal('POST / A BODY');
      expect(seen?.body).to.equal('a body');
    },
  },
  {
    what: 'cookies of plug-in and endpoint both arrive',
    plugins: 'cookie',
    expect: ({ headers }) => expect(headers['set-cookie']).to.deep.equal(['mine=1', 'endpoint=1', 'endpoint=2']),
  },
  {
    what: 'a router and an app are middleware too',
    plugins: 'routers',
    requested: { path: '/routed' },
    expect: ({ status, body }) => expect([status, body]).to.deep.equal([200, 'by the router']),
  },
  {
    what: 'an app returns what it has a route for',
    plugins: 'app',
    requested: { path: '/mounted' },
    expect: ({ status, body }) => expect([status, JSON.parse(body)]).to.deep.equal([201, { by: 'the app' }]),
  },
  {
    what: 'an app passes on what it has no route for',
    plugins: 'app,request-header(name=X-After,value=1)',
    requested: { path: '/other' },
    expect: ({ status }, seen) => expect([status, seen?.headers['x-after']]).to.deep.equal([200, '1']),
  },
  {
    what: "next('router') leaves that plug-in alone",
    plugins: 'leaves,maintenance',
    expect: ({ status }, seen) => expect([status, seen]).to.deep.equal([503, undefined]),
  },
  {
    what: 'an error handler takes the errors before it',
    plugins: 'fails(how=throws),rescues',
    expect: ({ status, body }) => expect([status, body]).to.deep.equal([418, 'rescued: throws']),
  },
  {
    what: 'access rules come first',
    plugins: 'maintenance',
    labels: { deniedMethods: 'GET' },
    expect: failed('method-denied', 403),
  },
  { what: 'an error is thrown', plugins: 'fails(how=throws)', expect: failed('plugin-failed', 500) },
  { what: 'a promise is rejected', plugins: 'fails(how=rejects)', expect: failed('plugin-failed', 500) },
  {
    what: 'a promise is rejected with nothing',
    plugins: 'fails(how=rejects-nothing)',
    expect: failed('plugin-failed', 500),
  },
  { what: 'an error is passed on', plugins: 'fails(how=passes)', expect: failed('plugin-failed', 500) },
  {
    what: 'an error is thrown where headers are written',
    plugins: 'fails(how=write-head)',
    expect: (responded) => expect(responded.status).to.equal(500),
  },
  { what: 'the path is spoilt', plugins: 'fails(how=url)', expect: failed('plugin-failed', 500) },
  { what: 'a header cannot be sent', plugins: 'fails(how=header)', expect: failed('plugin-failed', 500) },
  { what: 'an error is thrown after the head', plugins: 'fails(how=after-head)', expect: cut },
  {
    what: 'an error is passed on a second time',
    plugins: 'fails(how=passes-late)',
    expect: (responded) => expect([0, 500]).to.include(responded.status),
  },
  {
    what: 'it responds although it passed on',
    plugins: 'fails(how=responds-late)',
    expect: ({ status }) => expect([0, 200, 500]).to.include(status),
  },
  {
    what: 'it never passes on',
    plugins: 'fails(how=never)',
    labels: { timeoutServer: '1' },
    expect: failed('plugin-timeout', 504),
  },
  {
    what: 'it ends half a body and falls silent',
    plugins: 'fails(how=half)',
    labels: { timeoutServer: '1' },
    expect: cut,
  },
  {
    what: 'it passes on twice',
    plugins: 'fails(how=twice)',
    expect: ({ status, body }) => expect([status, body]).to.deep.equal([200, 'GET / ']),
  },
  {
    what: 'it passes on what it has returned',
    plugins: 'fails(how=responses-and-passes)',
    expect: ({ status, body }, seen) => expect([status, body, seen]).to.deep.equal([200, 'mine', undefined]),
  },
  {
    what: 'it writes after the end',
    plugins: 'fails(how=write-after-end)',
    expect: ({ status, body }) => expect([status, body]).to.deep.equal([200, 'mine']),
  },
  {
    what: 'it reads a part of the body and passes on',
    plugins: 'fails(how=half-read)',
    requested: { method: 'POST', body: 'x'.repeat(300_000) },
    expect: ({ status }, seen) => expect([status, seen?.body.length]).to.deep.equal([200, 300_000]),
  },
  {
    what: 'it listens to the body without waiting for it',
    plugins: 'fails(how=listens)',
    requested: { method: 'POST', body: 'y'.repeat(300_000) },
    expect: ({ status }, seen) => expect([status, seen?.body.length]).to.deep.equal([200, 300_000]),
  },
  { what: 'there is no such plug-in', plugins: 'helmet,nowhere', expect: failed('unsupported-feature', 503) },
  { what: 'a file cannot be loaded', plugins: 'broken', expect: failed('unsupported-feature', 503) },
  { what: 'a file has no default export', plugins: 'without-default', expect: failed('unsupported-feature', 503) },
  { what: 'options are refused', plugins: 'request-header', expect: failed('unsupported-feature', 503) },
  { what: 'it makes a promise', plugins: 'promises', expect: failed('unsupported-feature', 503) },
];

/** Plug-ins of this test, beside those of examples/plugins. */
export const pluginFiles: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ['helmet', 'cors', 'request-header', 'maintenance', 'counter', 'upper-case'].map((name) => [
      `${name}.mjs`,
      `export { default } from ${JSON.stringify(fileURLToPath(new URL(`../../../../examples/plugins/${name}.mjs`, import.meta.url)))};`,
    ]),
  ),
  'cookie.mjs': `export default () => (request, response, next) => { response.append('Set-Cookie', 'mine=1'); next(); };`,
  'routers.mjs': `import express from ${JSON.stringify(import.meta.resolve('express'))};
    export default () => express.Router().get('/routed', (request, response) => response.send('by the router'));`,
  'app.mjs': `import express from ${JSON.stringify(import.meta.resolve('express'))};
    export default () => express().get('/mounted', (request, response) => response.status(201).json({ by: 'the app' }));`,
  'leaves.mjs': `export default () => (request, response, next) => next('router');`,
  'rescues.cjs': `module.exports = () => (error, request, response, next) => response.status(418).send('rescued: ' + error.message);`,
  'fails.ts': `
    const actions: Record<string, (request: any, response: any, next: any) => unknown> = {
      throws: () => { throw new Error('throws'); },
      rejects: async () => { throw new Error('rejects'); },
      'rejects-nothing': () => Promise.reject(),
      passes: (request, response, next) => next(new Error('passes')),
      'write-head': (request, response, next) => { response.writeHead = () => { throw new Error('write-head'); }; next(); },
      url: (request, response, next) => { request.url = '/a b'; next(); },
      header: (request, response, next) => { request.headers['x-bad'] = 'a\\r\\nX-Injected: 1'; next(); },
      'after-head': (request, response) => { response.write('begun'); throw new Error('after-head'); },
      'passes-late': (request, response, next) => { next(); setImmediate(() => next(new Error('late'))); },
      'responds-late': (request, response, next) => { next(); response.end('mine'); },
      never: () => undefined,
      half: (request, response) => { response.setHeader('Content-Length', 100); response.write('half'); },
      twice: (request, response, next) => { next(); next(); setImmediate(next); },
      'responses-and-passes': (request, response, next) => { response.send('mine'); next(); },
      'write-after-end': (request, response) => { response.end('mine'); response.write('more'); response.end('again'); },
      'half-read': (request, response, next) => { request.once('data', () => { request.pause(); next(); }); },
      listens: (request, response, next) => { request.on('data', () => undefined); next(); },
    };
    export default ({ how }: { readonly how: string }) => actions[how];`,
  'broken.mjs': 'export default (',
  'without-default.mjs': 'export const other = 1;',
  'promises.mjs': 'export default async () => () => undefined;',
};
