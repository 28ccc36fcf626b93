import { expect } from 'chai';
import { parseJson } from './documents.ts';

describe('parseJson', () => {
  for (const [what, text] of [
    ['a quote left out', '{"users": [{"username": "jane", "passwordHash": hush}]}'],
    ['a quote left out in a short text', '{"password": hush}'],
    ['a comma left out', '{"users": [{"passwordHash": "hush" "username": "jane"}]}'],
    ['an end left out', '{"users": [{"passwordHash": "hush'],
  ] as const) {
    it(`reports what is wrong with ${what}, and quotes nothing`, () => {
      const parsed = parseJson(text);
      expect(parsed.ok).to.equal(false);
      expect(JSON.stringify(parsed))
        .to.match(/(?:Unexpected|Expected|Unterminated)/)
        .and.not.match(/hus|ush|jane/);
    });
  }
});
