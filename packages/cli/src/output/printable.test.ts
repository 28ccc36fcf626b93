import { expect } from 'chai';
import { printable } from './printable.ts';

describe('what is printed', () => {
  const cases = [
    ['plain\n\ttext – ü 日本 👩‍💻', 'plain\n\ttext – ü 日本 👩‍💻'],
    ['\u001b[2Jgone', '\\u001b[2Jgone'],
    ['over\rwritten\u0000', 'over\\u000dwritten\\u0000'],
    ['\u009b31m \u202egpj.exe', '\\u009b31m \\u202egpj.exe'],
  ] as const;
  for (const [text, shown] of cases)
    it(`shows ${JSON.stringify(text)} so that no terminal acts on it`, () => {
      expect(printable(text)).to.equal(shown);
    });

  it('leaves JSON what it means', () => {
    const body = { path: '/\u001b\u007f\u202e' };
    expect(JSON.parse(printable(JSON.stringify(body)))).to.deep.equal(body);
  });
});
