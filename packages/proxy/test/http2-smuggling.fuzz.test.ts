import { fuzzRuns } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import fc from 'fast-check';
import { Flag, Frame } from '../src/http/http2/frames.ts';
import { FrameClient } from './frame-client.ts';
import { type Fields, head } from './http2-heads.ts';
import { data, headers } from './http2-wire.ts';
import { type ScriptedBackend, startBackend } from './scripted-backend.ts';
import { makeExpressHttp2Server, makeHttp2Server, makeReferenceServer, type Rig, startRig } from './server-rig.ts';
import { endpointAt } from './test-context.ts';
import { until } from './until.ts';

const seed = 20_261_129;

interface Judged {
  readonly method?: string;
  readonly path?: string;
  readonly host?: string;
  readonly fields?: Fields;
  /** Of HTTP/2 alone: HTTP/1.1 has no such request, or reads another one. */
  readonly isOfHttp2?: true;
  /** Where HTTP/1.1 names another reason: it has more forms of a target. */
  readonly http1Reason?: string;
}

/** What became of one request, and what the service got. */
interface Outcome {
  readonly status: number | undefined;
  readonly reason: string | undefined;
  readonly requests: readonly string[];
}

const withField = (name: string, value: string): Judged => ({ fields: [[name, value]] });
const onlyHttp2 = (of: Judged): Judged => ({ ...of, isOfHttp2: true });

/** What could be read as another request by what is behind the proxy. */
const judged: Readonly<Record<string, Judged>> = {
  'CR in a value': onlyHttp2(withField('x', 'a\rb')),
  'LF in a value': onlyHttp2(withField('x', 'a\nb')),
  'a line break in a value': onlyHttp2(withField('x', 'a\r\nhost: b')),
  'NUL in a value': withField('x', 'a\0b'),
  'a control in a value': withField('x', 'a\x01b'),
  'DEL in a value': withField('x', 'a\x7fb'),
  'a line break in a name': onlyHttp2(withField('x\r\ny', 'z')),
  'NUL in a name': withField('x\0', 'z'),
  'a blank in a name': withField('x y', 'z'),
  'a blank behind a name': withField('x ', 'z'),
  'a colon in a name': onlyHttp2(withField('x:y', 'z')),
  'a bracket in a name': withField('x(', 'z'),
  'an empty name': withField('', 'z'),
  'upper case in a name': onlyHttp2(withField('X', 'z')),
  'a blank in the method': onlyHttp2({ method: 'GET /x HTTP/1.1\r\nx:' }),
  'a bracket in the method': { method: 'GE(T' },
  'a blank in the path': onlyHttp2({ path: '/a b' }),
  'a line break in the path': onlyHttp2({ path: '/ HTTP/1.1\r\nx: y' }),
  'a path without a slash': { path: 'a', http1Reason: 'bad-path' },
  '* for GET': { path: '*', http1Reason: 'bad-path' },
  'a fragment in the path': { path: '/a#b' },
  'obs-text in the path': { path: '/\xff' },
  'NUL in the path': { path: '/\0' },
  'user information in the host': { host: 'user@a.example' },
  'a path in the host': { host: 'a.example/b' },
  'a blank in the host': { host: 'a.example b' },
  'an empty host': { host: '' },
  'another Host beside it': withField('host', 'b.example'),
  'transfer-encoding': withField('transfer-encoding', 'gzip'),
  'transfer-encoding: chunked': onlyHttp2(withField('transfer-encoding', 'chunked')),
  connection: onlyHttp2(withField('connection', 'x')),
  'keep-alive': onlyHttp2(withField('keep-alive', 'x')),
  'proxy-connection': onlyHttp2(withField('proxy-connection', 'x')),
  upgrade: onlyHttp2(withField('upgrade', 'h2c')),
  'two lengths': {
    fields: [
      ['content-length', '1'],
      ['content-length', '2'],
    ],
  },
  'two equal lengths': {
    fields: [
      ['content-length', '0'],
      ['content-length', '0'],
    ],
  },
  ...Object.fromEntries(
    ['+4', '-1', '0x4', '4,4', '4 4', '', '99999999999999999999'].map((value) => [
      `a length of ${JSON.stringify(value)}`,
      withField('content-length', value),
    ]),
  ),
  'a length without a body': onlyHttp2(withField('content-length', '4')),
  'an unknown expectation': withField('expect', 'x'),
};

const headOf = ({ method = 'POST', path = '/', host = 'a.example', fields = [] }: Judged): Fields => [
  [':method', method],
  [':scheme', 'http'],
  [':path', path],
  [':authority', host],
  ...fields,
];

const asHttp1 = ({ method = 'POST', path = '/', host = 'a.example', fields = [] }: Judged) =>
  `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;

describe('requests of HTTP/2 that would be others behind the proxy', function () {
  this.timeout(60_000);
  let backend: ScriptedBackend;
  let rigs: readonly Rig[];
  before(async () => {
    backend = await startBackend();
    const endpoints = [endpointAt(backend.port)];
    rigs = await Promise.all(
      [makeHttp2Server, makeReferenceServer, makeExpressHttp2Server].map((make) => startRig(make, { endpoints })),
    );
  });
  after(async () => {
    for (const rig of rigs) await rig.stop();
    await backend.stop();
  });

  async function outcomeOf(rig: Rig, ...frames: readonly Buffer[]): Promise<Outcome> {
    const { reports } = rig.context;
    const before = { reports: reports.length, requests: backend.requests.length };
    const client = new FrameClient(rig.port);
    client.send(...frames);
    const isOver = () =>
      client.ended ||
      client.frames.some(
        ({ type, flags }) =>
          type === Frame.rstStream || type === Frame.goaway || (type <= 1 && (flags & Flag.endStream) !== 0),
      );
    await until(isOver, 'the response');
    const hasResponse = client.frames.some(({ type }) => type === Frame.headers);
    if (hasResponse) await until(() => reports.length > before.reports, 'the access record');
    client.destroy();
    const report = reports[before.reports];
    return {
      status: report?.status,
      reason: report?.reason,
      requests: backend.requests.slice(before.requests).map(({ head: text, body }) => comparable(`${text}${body}`)),
    };
  }

  async function outcomesOf(...frames: readonly Buffer[]): Promise<readonly Outcome[]> {
    const outcomes: Outcome[] = [];
    for (const rig of rigs) outcomes.push(await outcomeOf(rig, ...frames));
    return outcomes;
  }

  for (const [name, request] of Object.entries(judged))
    it(`are refused${request.isOfHttp2 === true ? '' : ', for the reason for which HTTP/1.1 is'}: ${name}`, async () => {
      const [own, reference, express] = (await outcomesOf(headers(1, headOf(request)))) as [Outcome, Outcome, Outcome];
      expect([own.requests, express.requests]).to.deep.equal([[], []]);
      expect(own.status).to.be.within(400, 431);
      expect([express.status, express.reason]).to.deep.equal([own.status, own.reason]);
      // node:http2 leaves out what it finds wrong with a field, and serves the rest.
      const rest = (await outcomesOf(headers(1, headOf({}))))[1] as Outcome;
      if (reference.requests.length > 0) expect(reference.requests).to.deep.equal(rest.requests);
      if (request.isOfHttp2 === true) return;
      const { context, client } = rigs[0] as Rig;
      const before = context.reports.length;
      const http1 = client();
      http1.send(asHttp1(request));
      await until(() => context.reports.length > before, 'the record of HTTP/1.1');
      http1.socket.destroy();
      const { status, reason } = context.reports[before] ?? {};
      expect([status, reason]).to.deep.equal([own.status, request.http1Reason ?? own.reason]);
    });

  it('are the same requests at the service, whichever framing has read them', async () => {
    let alike = 0;
    await fc.assert(
      fc.asyncProperty(head, fc.constantFrom('', 'body', 'other'), async (fields, body) => {
        const frames = body === '' ? [headers(1, fields)] : [headers(1, fields, Flag.endHeaders), data(1, body, true)];
        const [own, reference, express] = (await outcomesOf(...frames)) as [Outcome, Outcome, Outcome];
        const shown = JSON.stringify([fields, body]);
        expect(express, shown).to.deep.equal(own);
        // node:http2 leaves out what it finds wrong with a field, and refuses what the RFC allows.
        if (own.requests.length === 0 || reference.requests.length === 0) return;
        expect(reference, shown).to.deep.equal(own);
        alike++;
      }),
      fuzzRuns(400, seed),
    );
    expect(alike).to.be.greaterThan(50);
  });
});

/** Without what is another in every request. */
const comparable = (text: string) => text.replaceAll(/^(x-request-id): .*$/gim, '$1');
