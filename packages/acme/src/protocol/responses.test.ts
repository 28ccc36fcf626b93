import { expect } from 'chai';
import { AcmeError, problemOf } from './acme-error.ts';
import { readAuthorization, readDirectory, readOrder, readRenewalWindow } from './resources.ts';

describe('what a CA returns', () => {
  const type = 'urn:ietf:params:acme:error:rateLimited';

  it('is a problem with its subproblems, the types in short', () => {
    const problem = problemOf({
      type,
      detail: 'slow down',
      status: 429,
      subproblems: [{ type, detail: 'this one', identifier: { type: 'dns', value: 'A.example.com' } }, 'nonsense'],
    });
    expect(problem).to.deep.equal({
      type: 'rateLimited',
      detail: 'slow down',
      status: 429,
      subproblems: [{ type: 'rateLimited', detail: 'this one', name: 'a.example.com' }],
    });
  });

  it('is cut where it is long, and nothing where it is no problem', () => {
    expect(problemOf({ type, detail: 'x'.repeat(9_000) })?.detail).to.have.length(1_000);
    for (const other of [undefined, null, 'text', [], {}, { type: 7 }]) expect(problemOf(other)).to.equal(undefined);
  });

  const codes = [
    [400, 'acme-refused'],
    [403, 'acme-refused'],
    [429, 'acme-refused'],
    [500, 'acme-unavailable'],
    [503, 'acme-unavailable'],
  ] as const;
  for (const [status, code] of codes)
    it(`is ${code} with status ${status}`, () => {
      const error = AcmeError.refused('POST x', { type: 'serverInternal', detail: '', status, subproblems: [] }, 5);
      expect(error).to.include({ code, retryAfterMs: 5 });
    });

  const directory = { newNonce: 'https://ca/n', newAccount: 'https://ca/a', newOrder: 'https://ca/o' };
  it('is a directory with what it offers', () => {
    const meta = { profiles: { shortlived: 'six days' }, externalAccountRequired: true };
    expect(readDirectory({ ...directory, renewalInfo: 'https://ca/ri/', meta })).to.deep.equal({
      ...directory,
      renewalInfo: 'https://ca/ri',
      profiles: ['shortlived'],
      externalAccountRequired: true,
    });
    expect(readDirectory(directory)).to.deep.include({ profiles: [], externalAccountRequired: false });
  });

  const spoilt = [
    ['a directory without newOrder', readDirectory, { ...directory, newOrder: undefined }],
    ['a directory that leads to plain HTTP', readDirectory, { ...directory, newOrder: 'http://ca/o' }],
    ['an order of an unknown status', readOrder, { status: 'fine', authorizations: [], finalize: 'https://ca/f' }],
    [
      'an order with a foreign scheme',
      readOrder,
      { status: 'pending', authorizations: ['file:///x'], finalize: 'https://ca/f' },
    ],
    ['an authorization without identifier', readAuthorization, { status: 'pending', challenges: [] }],
    [
      'a window that ends before it begins',
      readRenewalWindow,
      { suggestedWindow: { start: '2026-02-01T00:00:00Z', end: '2026-01-01T00:00:00Z' } },
    ],
    ['a window without times', readRenewalWindow, { suggestedWindow: { start: 5, end: 'x' } }],
  ] as const;
  for (const [what, read, json] of spoilt) it(`is nothing: ${what}`, () => expect(read(json)).to.equal(undefined));

  it('holds no token that would leave its path', () => {
    const challenges = [{ type: 'http-01', url: 'https://ca/c', status: 'pending', token: '../../etc/passwd' }];
    const read = readAuthorization({ status: 'pending', identifier: { type: 'dns', value: 'a' }, challenges });
    expect(read?.challenges[0]).to.not.have.property('token');
  });
});
