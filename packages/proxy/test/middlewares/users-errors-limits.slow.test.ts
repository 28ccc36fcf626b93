import { until } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import { type LabelCase, requests, runLabelCases } from './label-case.ts';
import { routers, startService, startStage } from './middleware-stage.ts';

const hash = '$apr1$YK0brrNa$m.JSPKwuWlBBRmwWlqGuH.';
const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });
const users: readonly LabelCase[] = [
  {
    what: 'basicAuth without credentials',
    labels: { middlewares: `basicAuth("jane:${hash}",realm=shop)` },
    is: [401, 'credentials-required'],
    responses: { 'www-authenticate': 'Basic realm="shop"' },
  },
  {
    what: 'basicAuth',
    labels: { middlewares: `basicAuth("jane:${hash}",userHeader=X-User)` },
    request: { headers: { ...basic('jane:secret'), x_user: 'root' } },
    gets: { authorization: undefined, 'x-user': 'jane', x_user: undefined },
  },
  {
    what: 'basicAuth that keeps the header',
    labels: { middlewares: `basicAuth("jane:${hash}",removeHeader=false)` },
    request: { headers: basic('jane:secret') },
    gets: basic('jane:secret'),
  },
  {
    what: 'basicAuth with a wrong password',
    labels: { middlewares: `basicAuth("jane:${hash}")` },
    request: { headers: basic('jane:wrong') },
    is: [401, 'credentials-wrong'],
  },
  {
    what: 'basicAuth with a name that there is not',
    labels: { middlewares: `basicAuth("jane:${hash}")` },
    request: { headers: basic('joe:secret') },
    is: [401, 'credentials-wrong'],
  },
];

const fails: readonly LabelCase[] = [
  {
    what: 'errors replaces a response',
    labels: { errors: 'status=500-599,address=http://OTHER,query=/{status}.html?of={url}' },
    request: { path: '/a?b' },
    by: requests,
    is: [503, 'error-page'],
    body: 'page /503.html?of=%2Fa%3Fb',
    responses: { 'content-type': 'text/x-page', 'x-not-copied': undefined },
  },
  {
    what: 'errors leaves other statuses',
    labels: { errors: 'status=404,address=http://OTHER' },
    by: requests,
    is: [503, undefined as never],
    body: 'broken',
  },
  {
    what: 'errors replaces a response of the proxy',
    labels: { errors: 'status=502,address=http://OTHER', port: '1' },
    is: [502, 'error-page'],
    body: 'page /',
  },
  {
    what: 'errors without its service',
    labels: { errors: 'status=503,address=http://127.0.0.1:1' },
    by: requests,
    is: [503, 'error-page-unavailable'],
  },
  {
    what: 'errors whose page is missing',
    labels: { errors: 'status=503,address=http://OTHER,query=/missing' },
    by: requests,
    is: [503, 'error-page-unavailable'],
  },
];

runLabelCases('basicAuth of a list', users);
runLabelCases('errors', fails, {
  backend: (_call, response) => response.writeHead(503).end('broken'),
  other: ({ url }, response) => {
    if (url === '/missing') response.writeHead(404).end();
    else response.writeHead(200, { 'Content-Type': 'text/x-page', 'X-Not-Copied': '1' }).end(`page ${url}`);
  },
});

for (const router of routers)
  describe(`limits of a list, ${router} router`, () => {
    it('rateLimit lets a burst pass, then responds with 429 with Retry-After', async () => {
      const backend = await startService((_call, response) => response.writeHead(200).end());
      const stage = await startStage(
        [{ host: 'a.example', port: backend.port, labels: { middlewares: 'rateLimit(average=1,period=1h,burst=2)' } }],
        router,
        { WORKERS: '0' },
      );
      const given = [];
      for (let times = 0; times < 3; times += 1) given.push(await stage.send('HTTP/1.1', 'a.example'));
      expect(given.map(({ status }) => status)).to.deep.equal([200, 200, 429]);
      expect(Number(given[2]?.headers['retry-after'])).to.be.within(1, 3_600);
      await stage.stop();
      await backend.stop();
    });

    it('inFlightReq counts what is served, and forgets what has ended', async () => {
      let release = () => {};
      const backend = await startService((call, response) => {
        if (call.url === '/slow') release = () => void response.writeHead(200).end();
        else response.writeHead(200).end();
      });
      const stage = await startStage(
        [{ host: 'a.example', port: backend.port, labels: { inFlightReq: '1' } }],
        router,
        { WORKERS: '0' },
      );
      const slow = stage.send('HTTP/2', 'a.example', { path: '/slow' });
      await until('the slow request', () => backend.seen.length > 0);
      expect((await stage.send('HTTP/1.1', 'a.example')).headers['x-swarmgate-reason']).to.equal('in-flight-limited');
      release();
      expect((await slow).status).to.equal(200);
      expect((await stage.send('HTTP/1.1', 'a.example')).status).to.equal(200);
      await stage.stop();
      await backend.stop();
    });
  });
