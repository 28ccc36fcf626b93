import { expect } from 'chai';
import fc from 'fast-check';
import { allowedTrailerNames } from '../http/chunked-reader.ts';
import { HeadText } from '../http/head-text.ts';
import { fieldName } from '../http/http2/field-names.ts';
import { type HeaderField, validatedField } from '../http/http2/header-field.ts';
import { http2RequestHead } from '../http/http2/http1-heads.ts';
import { flatFields, ResponseHead } from '../http/http2/message-head.ts';
import { RequestHead } from '../http/request-head.ts';
import { UpstreamHead } from '../http/response-head.ts';
import type { ClientConnection } from '../model/exchange.ts';
import type { HeaderList } from '../model/header-list.ts';
import type { RequestView } from '../model/request-view.ts';
import type { SentFields } from '../model/sent-fields.ts';
import { Http1Request } from '../server/http1/http1-request.ts';
import { flatOfHead } from '../server/http2/flat-head.ts';
import { Http2Request } from '../server/http2/http2-request.ts';
import { clientHeadOf, fieldLinesOf } from './client-head.ts';
import { headersForClient, headersForUpstream } from './header-policy.ts';
import { beginTrace, traceParentOf } from './tracing/trace-context.ts';
import { TraceIds } from './tracing/trace-ids.ts';
import {
  AddedFields,
  type PlainRequest,
  plainHttp2Head,
  plainUpstreamHead,
  plainUpstreamHeaders,
  upstreamHead,
} from './upstream-head.ts';

const names = [
  'Accept',
  'X-A',
  'x-b',
  'Cookie',
  'Connection',
  'Keep-Alive',
  'TE',
  'Trailer',
  'Upgrade',
  'Proxy-Connection',
  'Proxy-Authorization',
  'Proxy-Authenticate',
  'X-Forwarded-For',
  'X-Forwarded-Host',
  'Forwarded',
  'Via',
  'X-Request-Id',
  'X_Forwarded_For',
  'Content_Length',
  'X_Y',
  'X.Forwarded.For',
  'Swarmgate-Hops',
  'Expect',
  'Content-Type',
];
const values = ['v', '', 'keep-alive', 'close', 'x-a', 'upgrade, x-b', 'a, b', '100-continue', 'caf\xe9'];
const lines = fc.array(fc.tuple(fc.constantFrom(...names), fc.constantFrom(...values)), { maxLength: 10 });

const flatOf = (text: string) =>
  text
    .split('\r\n')
    .slice(1, -2)
    .flatMap((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]);

const client: ClientConnection = {
  address: '10.1.2.3',
  entryPort: 80,
  secure: false,
  scheme: 'http',
  trustedHop: false,
  certificateVerified: false,
};

describe('heads made from bytes', () => {
  it('go upstream as the header policy would have them', () => {
    let plain = 0;
    fc.assert(
      fc.property(lines, fc.boolean(), fc.boolean(), (fields, http11, writesForwarded) => {
        const sent = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
        const bytes = Buffer.from(`GET /p HTTP/1.${http11 ? 1 : 0}\r\nHost: a.example:80\r\n${sent}\r\n`, 'latin1');
        const head = new RequestHead();
        if (head.parse(bytes, 0, bytes.length) !== 'complete') return;
        const view = new Http1Request(head, bytes);
        const kept = view.plainFields();
        if (kept === undefined) return;
        plain += 1;
        const added = new AddedFields('10.1.2.3', 'http', 80, 'me', writesForwarded);
        const ours = flatOf(plainUpstreamHead(plainOf(view, kept, added)));
        const policy = headersForUpstream(view.flat(), {
          client,
          peerAddress: '10.1.2.3',
          sentHost: 'a.example:80',
          protocol: http11 ? 'HTTP/1.1' : 'HTTP/1.0',
          viaName: 'me',
          hops: 0,
          newRequestId: () => 'id-1',
          writesForwarded,
        });
        expect(ours).to.deep.equal(policy.flat);
        const again = flatOf(plainUpstreamHead(plainOf(view, kept, added)));
        expect(again, 'for the next request of the connection').to.deep.equal(policy.flat);
        expect(plainUpstreamHeaders({ view, added, requestId: 'id-1' }).flat, 'for steps').to.deep.equal(policy.flat);
      }),
      { numRuns: 2_000, seed: 4 },
    );
    expect(plain).to.be.greaterThan(100);
  });

  // Both kinds: what begins here is written as a line, what a caller began is put together.
  const none = { parent: undefined, traceState: undefined, trusted: false, ratio: undefined };
  const joined = {
    ...none,
    parent: { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', parentId: '00f067aa0ba902b7', sampled: true },
  };
  const sampler = { parentBased: true, ratio: 0.5 };
  const traces = [none, joined].map((start) => beginTrace(start, sampler, new TraceIds()));

  it('go from HTTP/2 upstream as the header policy would have them, over HTTP/1.1 and HTTP/2', () => {
    let plain = 0;
    fc.assert(
      fc.property(
        lines,
        fc.boolean(),
        fc.boolean(),
        fc.constantFrom(...traces),
        (sent, writesForwarded, wantsTrailers, trace) => {
          const fields = http2Fields(sent);
          const view = new Http2Request({ ...http2Head, fields }, true);
          const kept = view.plainFields();
          if (kept === undefined) return;
          plain += 1;
          const added = new AddedFields('10.1.2.3', 'http', 80, 'me', writesForwarded, '2.0');
          const request = { ...plainOf(view, kept, added), trace };
          const policy = headersForUpstream(view.flat(), {
            client,
            peerAddress: '10.1.2.3',
            sentHost: 'a.example:80',
            protocol: 'HTTP/2',
            viaName: 'me',
            hops: 0,
            newRequestId: () => 'id-1',
            writesForwarded,
          });
          expect(plainUpstreamHeaders({ view, added, requestId: 'id-1' }).flat, 'for steps').to.deep.equal(policy.flat);
          policy.set('traceparent', traceParentOf(trace));
          expect(flatOf(plainUpstreamHead(request))).to.deep.equal(policy.flat);
          const direct = plainHttp2Head(request, kept, { secure: true, wantsTrailers });
          const framing = { unsized: false, contentLength: -1, upgrade: '', wantsTrailers };
          const route = { upstreamHttp2: true, upstreamSecure: true } as const;
          expect(direct).to.deep.equal(upstreamHead('GET', '/p', policy, framing, route));
          expect(direct.line).to.deep.equal({ method: 'GET', scheme: 'https', authority: 'a.example:80', path: '/p' });
          const text = plainUpstreamHead(request);
          expect(direct, 'as from the text of HTTP/1.1').to.deep.equal(http2RequestHead(text, 'https', wantsTrailers));
        },
      ),
      { numRuns: 2_000, seed: 4 },
    );
    expect(plain).to.be.greaterThan(100);
  });

  it('come back from HTTP/2 to the client as the header policy would have them', () => {
    fc.assert(
      fc.property(lines, (sent) => {
        const fields = http2Fields(sent);
        const made = clientHeadOf(new ResponseHead(200, fields, -1), false, true);
        const expected = withCrossingTrailers(headersForClient(flatFields(fields)).flat);
        expect(flatOf(`HTTP/1.1 200 OK\r\n${fieldLinesOf(made)}\r\n`)).to.deep.equal(expected);
        expect(flatOfHead(made)).to.deep.equal(expected);
        const forSteps = clientHeadOf(new ResponseHead(200, fields, -1), true, true);
        expect(forSteps.headers?.flat, 'for steps').to.deep.equal(expected);
      }),
      { numRuns: 2_000, seed: 4 },
    );
  });

  it('keep no length where none may be, whatever they came in', () => {
    for (const status of [103, 204]) {
      const fields = http2Fields([
        ['Content-Length', '5'],
        ['X-A', 'b'],
      ]);
      expect(clientHeadOf(new ResponseHead(status, fields, 5), false, true).headers?.flat).to.deep.equal(['x-a', 'b']);
    }
  });

  it('come back to the client as the header policy would have them', () => {
    fc.assert(
      fc.property(lines, (fields) => {
        const sent = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
        const bytes = Buffer.from(`HTTP/1.1 200 OK\r\n${sent}\r\n`, 'latin1');
        const head = new UpstreamHead();
        if (head.parse(bytes, 0, bytes.length) !== 'complete') return;
        const text = new HeadText(bytes.toString('latin1'), 0, head.fields);
        const ours = fieldLinesOf(clientHeadOf(head, false, true));
        const expected = withCrossingTrailers(headersForClient(text.flat()).flat);
        expect(flatOf(`HTTP/1.1 200 OK\r\n${ours}\r\n`)).to.deep.equal(expected);
        expect(
          clientHeadOf(head, true, true).headers?.flat.map((text) => text.trim()),
          'for steps',
        ).to.deep.equal(expected);
      }),
      { numRuns: 2_000, seed: 4 },
    );
  });

  it('are not sent where a step has put a line break into them', () => {
    const bytes = Buffer.from('HTTP/1.1 200 OK\r\n\r\n');
    const head = new UpstreamHead();
    head.parse(bytes, 0, bytes.length);
    type Step = (headers: HeaderList, name: string, value: string) => void;
    const ways: readonly Step[] = [
      (headers, name, value) => headers.add(name, value),
      (headers, name, value) => headers.set(name, value),
      (headers, name, value) => headers.setInEverySpelling(name, value),
      (headers, name, value) => {
        headers.add(name, 'before');
        headers.set(name, value);
      },
      (headers, name, value) => {
        headers.add(name, 'before');
        headers.change(() => value);
      },
    ];
    for (const put of ways) {
      const withField = (name: string, value: string) => {
        const made = clientHeadOf(head, true, true);
        expect(made.headers?.isSound).to.equal(true);
        put(made.headers as HeaderList, name, value);
        return fieldLinesOf(made);
      };
      for (const value of ['a\r\nSet-Cookie: x', 'a\nb', 'a\0', 'Ċ']) expect(withField('X', value)).to.equal(undefined);
      expect(withField('X y', 'v')).to.equal(undefined);
      expect(withField('X', 'v')).to.equal('X: v\r\n');
    }
  });
});

const http2Head = {
  method: 'GET',
  scheme: 'http',
  authority: 'a.example:80',
  path: '/p',
  protocol: '',
  contentLength: -1,
  expectContinue: false,
};

/** The fields that may come over HTTP/2. */
function http2Fields(sent: readonly (readonly [string, string])[]): HeaderField[] {
  return sent
    .map(([name, value]) => {
      const bytes = Buffer.from(value, 'latin1');
      return validatedField(fieldName(name.toLowerCase()), bytes, 0, bytes.length);
    })
    .filter(({ flaw }) => flaw === undefined);
}

function plainOf(view: RequestView, sent: SentFields, added: AddedFields): PlainRequest {
  return { view, sent, target: '/p', added, requestId: 'id-1', trace: undefined };
}

/** Announced trailers that may not cross are left out, and a `Trailer` that announces nothing. */
function withCrossingTrailers(flat: readonly string[]): string[] {
  const kept: string[] = [];
  for (let at = 0; at < flat.length; at += 2) {
    const [name, value] = [flat[at] as string, flat[at + 1] as string];
    const crossing = name.toLowerCase() === 'trailer' ? allowedTrailerNames(value) : undefined;
    if (crossing !== '') kept.push(name, crossing ?? value);
  }
  return kept;
}
