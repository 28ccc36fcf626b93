import { expect } from 'chai';
import { endOfSession, issueSession, sessionHash, sessionKey, sessionMs } from './session-token.ts';

const nowMs = Date.parse('2026-11-28T10:00:00Z');
const key = sessionKey('s3cret');

describe('a session of the console', () => {
  const { value, endsAtMs } = issueSession(key, nowMs);

  it('is valid for 12 hours, for every replica with the same token', () => {
    expect(endsAtMs - nowMs).to.equal(12 * 3_600_000);
    const other = sessionKey('s3cret');
    expect(endOfSession(other, value, nowMs)).to.equal(endsAtMs);
    expect(endOfSession(other, value, endsAtMs - 1)).to.equal(endsAtMs);
    expect(endOfSession(other, value, endsAtMs)).to.equal(undefined);
  });

  it('ends with the token that it was made with', () => {
    expect(endOfSession(sessionKey('another'), value, nowMs)).to.equal(undefined);
  });

  it('differs with every login', () => {
    expect(issueSession(key, nowMs).value).to.not.equal(value);
  });

  const [end = '', nonce = '', signature = ''] = value.split('.');
  const later = ((endsAtMs + 1_000) / 1_000).toString(36);
  for (const [title, forged] of [
    ['a later end', `${later}.${nonce}.${signature}`],
    ['another nonce', `${end}.${'A'.repeat(22)}.${signature}`],
    ['another signature', `${end}.${nonce}.${'A'.repeat(43)}`],
    ['no signature', `${end}.${nonce}.`],
    ['a shorter signature', value.slice(0, -1)],
    ['something behind it', `${value}x`],
    ['a line break behind it', `${value}\n`],
    ['nothing', ''],
    ['the token itself', 's3cret'],
  ] as const)
    it(`is refused with ${title}`, () => {
      expect(endOfSession(key, forged, nowMs)).to.equal(undefined);
    });

  it('is refused where its end is further away than a login lasts, as after a clock that was ahead', () => {
    const ahead = issueSession(key, nowMs + sessionMs);
    expect(endOfSession(key, ahead.value, nowMs)).to.equal(undefined);
  });

  it('leaves only its hash in the registry', () => {
    expect(sessionHash(value))
      .to.match(/^[0-9a-f]{64}$/)
      .and.not.include(nonce);
  });
});
