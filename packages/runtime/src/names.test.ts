import { expect } from 'chai';
import { isName } from './names.ts';

describe('isName', () => {
  for (const name of ['a', 'A9', '7', 'go-demo_main', 'shop.example', 'a.', '_'.padStart(2, 'a')]) {
    it(`takes ${JSON.stringify(name)}`, () => expect(isName(name)).to.equal(true));
  }
  for (const name of ['', '.a', '-a', '_a', 'a/b', 'a b', 'a..b', '..', 'a..', 'ä', 'a\n', 'a\0']) {
    it(`refuses ${JSON.stringify(name)}`, () => expect(isName(name)).to.equal(false));
  }
});
