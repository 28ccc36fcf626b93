import { retryAfterMs } from '@swarmgate/runtime';
import { fuzzRuns } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import fc from 'fast-check';
import { AcmeError, problemOf } from './acme-error.ts';
import { objectionToUrl } from './ca-url.ts';
import { readAuthorization, readChallenge, readDirectory, readOrder, readRenewalWindow } from './resources.ts';

const corpus = [
  {
    newNonce: 'https://ca/n',
    newAccount: 'https://ca/a',
    newOrder: 'https://ca/o',
    renewalInfo: 'https://ca/r/',
    meta: { profiles: { short: 'x' }, termsOfService: 'https://ca/t', externalAccountRequired: true },
  },
  {
    status: 'pending',
    authorizations: ['https://ca/z/1'],
    finalize: 'https://ca/f',
    certificate: 'https://ca/c',
    error: { type: 'x' },
  },
  {
    status: 'pending',
    identifier: { type: 'dns', value: 'A.example' },
    wildcard: true,
    challenges: [{ type: 'http-01', url: 'https://ca/h', status: 'pending', token: 'abc' }],
  },
  { suggestedWindow: { start: '2026-01-01T00:00:00Z', end: '2026-02-01T00:00:00Z' }, explanationURL: 'https://ca/e' },
  {
    type: 'urn:ietf:params:acme:error:rateLimited',
    detail: 'slow',
    status: 429,
    subproblems: [{ type: 'x', detail: 'y', identifier: { type: 'dns', value: 'A' } }],
  },
];

/** One of the corpus with some of its values, at any depth, replaced. */
const response = fc
  .tuple(
    fc.constantFrom(...corpus),
    fc.array(
      fc.tuple(
        fc.nat(),
        fc.oneof(
          fc.constantFrom<unknown>(
            undefined,
            null,
            '',
            [],
            {},
            0,
            Number.MAX_VALUE,
            'http://ca/',
            'file:///etc/passwd',
            'https://',
            'https://user:p@ca/',
            '../../x',
            '9'.repeat(400),
            '__proto__',
          ),
          fc.anything({ maxDepth: 2 }),
          fc.string({ unit: 'binary', maxLength: 40 }),
        ),
      ),
      { maxLength: 4 },
    ),
  )
  .map(([seed, edits]) => edits.reduce<unknown>((json, [at, value]) => replaced(json, at, value), seed));

function replaced(json: unknown, at: number, value: unknown): unknown {
  if (typeof json !== 'object' || json === null) return value;
  const entries = Object.entries(json);
  const place = entries.length === 0 ? 0 : at % (entries.length + 1);
  if (place === entries.length) return value;
  const changed = entries.map(
    ([key, each], index) =>
      [key, index === place ? replaced(each, Math.floor(at / (entries.length + 1)), value) : each] as const,
  );
  return Array.isArray(json) ? changed.map(([, each]) => each) : Object.fromEntries(changed);
}

describe('a response of a CA, whatever it is', () => {
  it('is what RFC 8555 describes, or nothing', () => {
    const isCallable = (url: string) => objectionToUrl(url, 'https://ca/directory') === undefined;
    const isUrl = (url: unknown) => expect(url).to.match(/^https?:\/\//);
    fc.assert(
      fc.property(response, (json) => {
        const directory = readDirectory(json);
        if (directory !== undefined)
          for (const url of [directory.newNonce, directory.newAccount, directory.newOrder]) isUrl(url);
        const order = readOrder(json);
        if (order !== undefined) for (const url of [order.finalize, ...order.authorizations]) isUrl(url);
        const authorization = readAuthorization(json);
        for (const challenge of authorization?.challenges ?? []) {
          isUrl(challenge.url);
          if (challenge.token !== undefined) expect(challenge.token).to.match(/^[\w-]{1,256}$/);
        }
        readChallenge(json);
        const window = readRenewalWindow(json);
        if (window !== undefined) expect(window.endMs).to.be.above(window.startMs);
        const problem = problemOf(json);
        if (problem !== undefined) {
          const error = AcmeError.refused('POST x', problem);
          expect(error.message.length).to.be.below(2_100);
          expect(problem.subproblems.length).to.be.below(101);
        }
        for (const url of [directory?.newOrder, order?.finalize])
          if (url !== undefined) expect(isCallable(url)).to.be.a('boolean');
      }),
      fuzzRuns(5_000, 20_261_128),
    );
  });

  it('returns a Retry-After of a week at most', () => {
    const header = fc.oneof(
      fc.constantFrom('120', '-1', '1e9', '999999999', 'Thu, 01 Jan 2106 14:01:00 GMT', 'Mon', ''),
      fc.string({ unit: 'binary', maxLength: 30 }),
      fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
    );
    fc.assert(
      fc.property(header, fc.option(header, { nil: undefined }), (wait, date) => {
        const ms = retryAfterMs(wait, date, Date.UTC(2026, 0, 1));
        if (ms !== undefined) expect(ms).to.be.within(0, 7 * 86_400_000);
      }),
      fuzzRuns(5_000, 20_261_128),
    );
  });
});
