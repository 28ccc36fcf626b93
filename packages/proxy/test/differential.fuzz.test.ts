import { createServer as createHttpServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pause } from '@swarmgate/runtime';
import { fuzzRuns } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import fc from 'fast-check';
import { allowedTrailers } from '../src/http/chunked-reader.ts';
import { RawClient } from './raw-client.ts';
import { type ScriptedBackend, startBackend } from './scripted-backend.ts';
import { makeCoreServer, makeExpressServer, type Rig, startRig } from './server-rig.ts';
import { endpointAt } from './test-context.ts';
import { until } from './until.ts';

/** What became of the first request in some bytes. */
type Decision =
  | { readonly kind: 'taken'; readonly request: TakenRequest }
  /** `cause`: of the proxy's access record, or the code of node's parser error. */
  | { readonly kind: 'refused'; readonly status: number; readonly cause: string }
  /** More bytes are awaited. */
  | { readonly kind: 'waiting' };

interface TakenRequest {
  readonly method: string;
  readonly target: string;
  /** Fields of the generator's own, `name: value`. */
  readonly fields: readonly string[];
  readonly body: string;
  readonly trailers: readonly string[];
}

const ownFields = (flat: readonly string[]) =>
  flat.flatMap((name, at) => (at % 2 === 0 && /^(x-[ab]|accept)$/i.test(name) ? [`${name}: ${flat[at + 1]}`] : []));

/** Without what Connection names: those fields are for one hop (RFC 9110, section 7.6.1). */
function withoutNamed(fields: readonly string[], flat: readonly string[]): string[] {
  const named = flat.flatMap((name, at) =>
    at % 2 === 0 && name.toLowerCase() === 'connection' ? [`${flat[at + 1]}: `.toLowerCase()] : [],
  );
  return fields.filter((field) => !named.some((prefix) => field.toLowerCase().startsWith(prefix)));
}

/** How long a parser may take to respond to bytes before they count as incomplete, in milliseconds. */
const waitMs = 2_000;

/**
 * Where the proxy refuses what node:http takes. By the proxy's cause, each with its reason: it is all that two servers
 * could read in two ways.
 */
const stricter: Readonly<Record<string, string>> = {
  'bad-transfer-encoding': 'anything but one `chunked` is read in several ways (RFC 9112, 6.1)',
  'host-duplicate': 'servers differ in which one they route by',
  'bad-host': 'a host that no route could have',
  'expectation-failed': 'only 100-continue is defined (RFC 9110, 10.1.1); node:http leaves it to the application',
  'transfer-encoding-in-http-1.0': 'HTTP/1.0 has no Transfer-Encoding (RFC 9112, 6.1)',
  'bad-target': 'bytes beyond ASCII, which are not a URI (RFC 9112, 3.2)',
};

/** Where node:http refuses what the proxy takes. By the code of its parser's error. */
const broader: Readonly<Record<string, string>> = {
  HPE_INVALID_VERSION:
    'llhttp knows HTTP/1.0 and HTTP/1.1; RFC 9110, section 2.5, serves later minor versions as the latter',
  HPE_INVALID_METHOD: 'llhttp knows a list of methods; RFC 9110, section 9.1, says any token',
};

const routers = [
  { router: 'core', makeServer: makeCoreServer, runs: 800 },
  { router: 'Express', makeServer: makeExpressServer, runs: 300 },
] as const;

for (const { router, makeServer, runs } of routers)
  describe(`whole requests over sockets, beside node:http, with the ${router} router`, () => {
    let backend: ScriptedBackend;
    let rig: Rig;
    let oracle: Server;
    let oraclePort = 0;
    let refusedBy = '';
    /** Requests that node:http took, each as method, target and body. */
    let takenByOracle: string[] = [];

    before(async () => {
      backend = await startBackend();
      backend.onRequest = (_request, socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
      rig = await startRig(makeServer, { endpoints: [endpointAt(backend.port)] });
      oracle = createHttpServer({ insecureHTTPParser: false });
      const take = (request: IncomingMessage, respond: (text: string) => void) => {
        let body = '';
        request.setEncoding('latin1').on('data', (piece: string) => {
          body += piece;
        });
        request.on('end', () => {
          const { method, url, rawHeaders, rawTrailers } = request;
          takenByOracle.push(`${method} ${url} ${body}`);
          respond(JSON.stringify({ method, url, rawHeaders, rawTrailers, body }));
        });
      };
      for (const event of ['request', 'checkContinue', 'checkExpectation'])
        oracle.on(event, (request, response) => take(request, (text) => response.end(text, 'latin1')));
      oracle.on('clientError', (error: NodeJS.ErrnoException, socket) => {
        refusedBy = error.code ?? '';
        socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n');
      });
      await new Promise<void>((resolve) => oracle.listen(0, '127.0.0.1', resolve));
      oraclePort = (oracle.address() as AddressInfo).port;
    });
    after(async () => {
      await rig.stop();
      await backend.stop();
      oracle.closeAllConnections();
      await new Promise<void>((resolve) => oracle.close(() => resolve()));
    });

    /** Sends bytes in these pieces and waits for a response, an end, or neither. */
    async function send(port: number, pieces: readonly string[]): Promise<string> {
      const client = new RawClient(port);
      for (const piece of pieces) {
        client.send(piece);
        if (pieces.length > 1) await pause(1);
      }
      await Promise.race([
        until(() => client.received.includes('\r\n\r\n') || client.over, 'a response'),
        pause(waitMs),
      ]);
      const received = client.received;
      client.destroy();
      return received;
    }

    async function ours(pieces: readonly string[]): Promise<Decision> {
      const seen = backend.requests.length;
      const records = rig.context.reports.length;
      const received = await send(rig.port, pieces);
      if (received === '') return { kind: 'waiting' };
      await until(() => rig.context.reports.length > records, 'the record');
      const status = Number(received.slice(9, 12));
      const record = rig.context.reports[records];
      if (status !== 200) return { kind: 'refused', status, cause: record?.cause ?? record?.reason ?? '' };
      const request = backend.requests[seen];
      if (request === undefined) throw new Error('a 200 without a request at the endpoint');
      const { method, target, headers, body, trailers } = request;
      const lines = trailers.split('\r\n').filter((line) => line !== '');
      return { kind: 'taken', request: { method, target, fields: ownFields(headers), body, trailers: lines } };
    }

    async function theirs(pieces: readonly string[]): Promise<Decision> {
      refusedBy = '';
      const received = await send(oraclePort, pieces);
      if (received === '') return { kind: 'waiting' };
      const status = Number(received.slice(9, 12));
      if (status !== 200) return { kind: 'refused', status, cause: refusedBy };
      const json = /\{.*\}/s.exec(received)?.[0];
      if (json === undefined) return { kind: 'waiting' };
      const { method, url, rawHeaders, rawTrailers, body } = JSON.parse(json);
      const sent = Array.from(
        { length: rawTrailers.length / 2 },
        (_, at) => `${rawTrailers[2 * at]}: ${rawTrailers[2 * at + 1]}\r\n`,
      );
      const trailers = allowedTrailers(sent.join(''));
      const lines = trailers.flatMap((name, at) => (at % 2 === 0 ? [`${name}: ${trailers[at + 1]}`] : []));
      return {
        kind: 'taken',
        request: {
          method,
          target: url,
          fields: withoutNamed(ownFields(rawHeaders), rawHeaders),
          body,
          trailers: lines,
        },
      };
    }

    const oneOf = (...values: readonly string[]) => fc.constantFrom(...values);
    const mostly = (usual: string, ...others: readonly string[]) =>
      fc.oneof({ weight: 40, arbitrary: fc.constant(usual) }, { weight: others.length, arbitrary: oneOf(...others) });
    const lineEnd = mostly('\r\n', '\n');
    const field = oneOf(
      ...['X-A: 1', 'x-b:two ', 'X-A:', 'Accept: */*', 'X-B: caf\xe9', 'Connection: close', 'Connection: X-A'],
      ...['X-A : 1', ' X-A: 1', 'X-A: a\x01b', 'X A: 1', 'X-A', 'Expect: other', 'Host: b.example', 'Upgrade: foo'],
    );
    const chunk = fc.tuple(
      oneOf('3\r\nabc\r\n', '5;x=y\r\nhello\r\n', 'A\r\n0123456789\r\n'),
      mostly('', '2 \r\nab\r\n', '2\nab\r\n', 'zz\r\n', '-1\r\n'),
    );
    const body = fc.oneof(
      fc.constant({ lines: '', text: '' }),
      oneOf('', 'a', 'hello world').map((text) => ({ lines: `Content-Length: ${text.length}\r\n`, text })),
      oneOf('5', '05', '+5', '5 ', ' 5', '5, 5', '0x5', '').map((length) => ({
        lines: `Content-Length: ${length}\r\n`,
        text: 'hello',
      })),
      fc
        .tuple(
          fc.array(chunk, { maxLength: 3 }),
          mostly('chunked', 'Chunked', 'chunked ', 'gzip, chunked', 'identity', '"chunked"', 'chunked, chunked'),
          mostly('', 'X-Sum: 1\r\n', 'Host: evil\r\n', 'no field\r\n'),
          mostly('', 'Content-Length: 5\r\n', 'Transfer-Encoding: chunked\r\n'),
        )
        .map(([chunks, coding, trailers, more]) => ({
          lines: `Transfer-Encoding: ${coding}\r\n${more}`,
          text: `${chunks.map((parts) => parts.join('')).join('')}0\r\n${trailers}\r\n`,
        })),
    );
    const request = fc
      .record({
        method: mostly('POST', 'GET', 'PUT', 'FOO', 'P OST', ''),
        target: mostly('/a?b=c', '/', '/a%20b', '/a|b', '/a#b', '/a b', '/\xff', 'http://a.example/x', 'a'),
        version: mostly('HTTP/1.1', 'HTTP/1.0', 'HTTP/1.2', 'http/1.1'),
        host: mostly('Host: a.example\r\n', '', 'Host: a b\r\n', 'Host:\r\n'),
        fields: fc.array(fc.tuple(field, lineEnd), { maxLength: 3 }),
        body,
      })
      .map(({ method, target, version, host, fields, body: { lines, text } }) => {
        const more = fields.map((parts) => parts.join('')).join('');
        return `${method} ${target} ${version}\r\n${host}${more}${lines}\r\n${text}`;
      });

    /** The same target, as node:http gives it and as the proxy sends it on. */
    const forwardedTarget = (target: string) => target.replace(/^http:\/\/a\.example/, '');

    it('takes the same requests with the same bytes, whole or cut anywhere, or has a reason not to', async function () {
      this.timeout(60_000);
      const used = new Set<string>();
      const counts = { taken: 0, refused: 0, waiting: 0, stricter: 0, broader: 0 };
      await fc.assert(
        fc.asyncProperty(request, fc.nat(200), fc.boolean(), async (text, at, cut) => {
          const middle = Math.min(at, text.length);
          const pieces = cut ? [text.slice(0, middle), text.slice(middle)] : [text];
          const [own, other] = [await ours(pieces), await theirs(pieces)];
          const shown = `${JSON.stringify(text)}: ${JSON.stringify(own)}, node:http ${JSON.stringify(other)}`;
          if (own.kind === 'refused' && other.kind !== 'refused') {
            counts.stricter++;
            used.add(own.cause);
            expect(stricter, shown).to.have.property(own.cause);
          } else if (own.kind !== 'refused' && other.kind === 'refused') {
            counts.broader++;
            used.add(other.cause);
            expect(broader, shown).to.have.property(other.cause);
          } else {
            counts[own.kind]++;
            expect(own.kind, shown).to.equal(other.kind);
            if (own.kind !== 'taken' || other.kind !== 'taken') return;
            const { target } = other.request;
            expect(own.request, shown).to.deep.equal({ ...other.request, target: forwardedTarget(target) });
          }
        }),
        fuzzRuns(runs, 20_261_128),
      );
      // Fewer runs do not come to each of them.
      if (router === 'core')
        expect([...used].sort(), 'reasons that are needed').to.deep.equal(
          Object.keys({ ...stricter, ...broader }).sort(),
        );
      expect(backend.strayBytes, 'bytes at the endpoint that belong to no request').to.equal(0);
      expect(counts.taken, JSON.stringify(counts)).to.be.greaterThan(runs / 4);
      expect(counts.refused, JSON.stringify(counts)).to.be.greaterThan(runs / 4);
    });

    /** A body that reads as a request, where its framing is lost. */
    const text = oneOf('', 'a', 'GET /smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n', '0\r\n\r\n', 'x'.repeat(5_000));
    const framed = fc.oneof(
      fc.constant({ lines: '', bytes: '', body: '' }),
      text.map((each) => ({ lines: `Content-Length: ${each.length}\r\n`, bytes: each, body: each })),
      fc.tuple(text, fc.integer({ min: 1, max: 60 }), oneOf('', 'X-Sum: 1\r\n')).map(([each, size, trailers]) => {
        const pieces = each.slice(0, 200).match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
        const chunks = pieces.map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`).join('');
        const lines = 'Transfer-Encoding: chunked\r\n';
        return { lines, bytes: `${chunks}0\r\n${trailers}\r\n`, body: each.slice(0, 200) };
      }),
    );
    const pipelined = fc.array(fc.tuple(oneOf('GET', 'POST', 'PUT', 'HEAD', 'DELETE'), framed), {
      minLength: 2,
      maxLength: 5,
    });

    it('takes pipelined requests one after the other with the same bytes, whole or cut anywhere', async function () {
      this.timeout(60_000);
      await fc.assert(
        fc.asyncProperty(pipelined, fc.integer({ min: 1, max: 400 }), fc.boolean(), async (requests, size, cut) => {
          const sent = requests.map(([method, { lines, bytes }], at) => {
            const last = at === requests.length - 1 ? 'Connection: close\r\n' : '';
            return `${method} /${at} HTTP/1.1\r\nHost: a.example\r\n${last}${lines}\r\n${bytes}`;
          });
          const expected = requests.map(([method, { body }], at) => `${method} /${at} ${body}`);
          const whole = sent.join('');
          const pieces = cut ? [whole.slice(0, size), whole.slice(size)] : [whole];
          const before = backend.requests.length;
          expect(await statusesOf(rig.port, pieces)).to.deep.equal(requests.map(() => '200'));
          const ours = backend.requests.slice(before).map(({ method, target, body }) => `${method} ${target} ${body}`);
          expect(ours).to.deep.equal(expected);
          takenByOracle = [];
          expect(await statusesOf(oraclePort, pieces)).to.deep.equal(requests.map(() => '200'));
          expect(takenByOracle).to.deep.equal(expected);
        }),
        fuzzRuns(150, 20_261_128),
      );
      expect(backend.strayBytes, 'bytes at the endpoint that belong to no request').to.equal(0);
    });

    /** Sends bytes in these pieces, and reads until the connection ends. */
    async function statusesOf(port: number, pieces: readonly string[]): Promise<readonly (string | undefined)[]> {
      const client = new RawClient(port);
      for (const piece of pieces) {
        client.send(piece);
        if (pieces.length > 1) await pause(1);
      }
      await until(() => client.over, 'the end');
      client.destroy();
      return [...client.received.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status);
    }
  });
