import { connect } from 'node:net';
import { fuzzRuns } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import fc from 'fast-check';
import { eventually, type ProxyUnderTest, startProxyUnderTest } from '../../../test/running-proxy.ts';

const definition = JSON.stringify({
  service: 'shop',
  destinations: [{ index: 0, servicePath: ['/shop'], port: 8080, outboundHostname: '10.0.0.7', users: [] }],
});
const form = 'Content-Type: application/json\r\n';

/** Calls as bytes behind `METHOD `; `BODY` follows the head, whose length is written as it is then. */
const corpus: readonly (readonly [line: string, fields: string, body: string])[] = [
  ['GET /v1/status', '', ''],
  ['GET /v1/services?service=shop&offset=0&limit=1', '', ''],
  ['GET /v1/routes?match=shop', 'Accept: text/plain\r\n', ''],
  ['GET /v1/problems', 'If-None-Match: "1"\r\n', ''],
  ['GET /v1/history?service=shop&owner=manual', '', ''],
  ['GET /v1/explain?url=http://shop.example/cart%3Fa&method=GET&port=80&header=X-A:b', '', ''],
  ['GET /v1/maintenance', '', ''],
  ['GET /v1/certificates', '', ''],
  ['GET /metrics', 'Accept: application/openmetrics-text\r\n', ''],
  ['GET /v1/docker-flow-proxy/config?type=json', '', ''],
  ['GET /v1/docker-flow-proxy/reconfigure?serviceName=shop&servicePath=/shop&port=80&reqPathSearchReplace=a,b', '', ''],
  ['GET /v1/docker-flow-proxy/remove?serviceName=shop&aclName=x', '', ''],
  ['PUT /v1/docker-flow-proxy/cert?certName=a.pem&distribute=true', '', 'no certificate'],
  ['POST /v1/reconfigure', form, definition],
  ['POST /v1/check', form, definition],
  ['POST /v1/remove?service=shop', '', ''],
  ['POST /v1/remove', form, '{"service":"shop"}'],
  ['POST /v1/reload', form, '{"force":true,"owner":"swarm"}'],
  ['POST /v1/restore', form, '{}'],
  ['GET /v1/docker-flow-proxy/reload?force=true&owner=swarm&fromListener=true', '', ''],
  ['POST /v1/rollback?service=shop&to=1', '', ''],
  [
    'POST /v1/maintenance',
    form,
    '{"service":"shop","message":"m","until":"2026-01-02T03:04:05Z","except":["10.0.0.0/8"]}',
  ],
  ['DELETE /v1/maintenance?service=shop', '', ''],
  ['POST /v1/certificates/import', form, '{"certificate":"-----BEGIN CERTIFICATE-----","key":"k"}'],
  ['POST /v1/certificates/renew?name=a.example', '', ''],
  ['POST /v1/session', form, '{"token":"t"}'],
  ['DELETE /v1/session', 'Cookie: swarmgate-session=a.b.c\r\n', ''],
];

const odd = [
  '\0',
  '%00',
  '%FF',
  '%',
  '..%2f',
  '//',
  '&',
  '=',
  '[]',
  '{',
  '"',
  '\\u0000',
  '-1',
  '1e999',
  '__proto__',
  'é',
];

/** One text with some places changed, from latin1 characters and what parsers stumble on. */
function edited(text: string): fc.Arbitrary<string> {
  const piece = fc.oneof(
    fc.constantFrom(...odd),
    fc.string({ maxLength: 4 }),
    fc.constantFrom('x'.repeat(300), '['.repeat(200)),
  );
  const edit = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 8 }), piece);
  return fc.array(edit, { maxLength: 3 }).map((edits) =>
    edits.reduce((now, [at, length, put]) => {
      const place = at % (now.length + 1);
      return now.slice(0, place) + put + now.slice(place + length);
    }, text),
  );
}

const calls = fc.constantFrom(...corpus).chain(([line, fields, body]) =>
  fc.tuple(edited(line), fc.oneof(fc.constant(fields), edited(fields)), edited(body)).map(([start, more, text]) => {
    const bytes = Buffer.from(text, 'latin1');
    return `${start} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: ${bytes.length}\r\n${more}\r\n${text}`;
  }),
);

describe('calls to the admin port, whatever they hold', function () {
  this.timeout(600_000);
  let under: ProxyUnderTest;
  before(async () => {
    under = await startProxyUnderTest({ replica: 'one', env: { BARRIER_TIMEOUT_MS: '200' } });
    await eventually('the proxy is ready', () => under.proxy.ready());
  });
  after(() => under.stop());

  /** What comes until the connection is closed. */
  function responseTo(bytes: string): Promise<string> {
    return new Promise((resolve) => {
      const socket = connect(under.proxy.admin.port, '127.0.0.1');
      let text = '';
      socket.setEncoding('latin1').on('data', (part: string) => {
        text += part;
      });
      socket.on('error', () => undefined);
      socket.on('close', () => resolve(text));
      // A call whose end never comes.
      socket.setTimeout(500, () => socket.destroy());
      socket.write(Buffer.from(bytes, 'latin1'));
    });
  }

  it('get a response that states what is wrong with them, never a 500, and the port serves on', async () => {
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(calls, async (bytes) => {
        const text = await responseTo(bytes);
        const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0);
        if (status === 200) taken += 1;
        // 0: more was sent than the call, or less.
        expect(status === 0 || (status >= 200 && status < 500) || status === 503, text.slice(0, 500)).to.equal(true);
        const [head = '', body = ''] = text.split('\r\n\r\n');
        if (status >= 400 && /content-length/i.test(head) && /application\/json/i.test(head))
          expect(JSON.parse(body)).to.have.property('Message').that.is.a('string').and.not.equal('');
        expect(text).not.to.match(/\n\s+at .*\.ts:\d+/);
      }),
      fuzzRuns(500, 20_261_128),
    );
    expect(taken, 'calls that are taken').to.be.greaterThan(20);
    expect((await under.call('GET', '/healthz')).status).to.equal(200);
    expect((await under.call('GET', '/v1/status')).status).to.equal(200);
  });
});
