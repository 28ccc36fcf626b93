import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { secretsKeyOf } from './seal-certificate.ts';
import { openSecret, sealSecret } from './seal-secret.ts';

const newKey = () => {
  const key = secretsKeyOf(randomBytes(32).toString('base64'));
  if (key === undefined) throw new Error('32 bytes are a key');
  return key;
};

describe('a sealed secret', () => {
  const key = newKey();
  const other = newKey();
  const sealed = sealSecret('hush', 'acme/accounts/ca', [key]);

  const cases = [
    ['opens with its key and its place', sealed, 'acme/accounts/ca', [key], 'hush'],
    ['opens with the second key during a rotation', sealed, 'acme/accounts/ca', [other, key], 'hush'],
    ['stays shut in another place', sealed, 'acme/accounts/other', [key], undefined],
    ['stays shut for another key', sealed, 'acme/accounts/ca', [other], undefined],
    ['stays shut when it was cut', sealed.slice(0, -1), 'acme/accounts/ca', [key], undefined],
    ['stays shut when its tag was shortened', shortTag(sealed), 'acme/accounts/ca', [key], undefined],
    ['is nothing else', 'hush', 'acme/accounts/ca', [key], undefined],
  ] as const;
  for (const [what, text, place, keys, opened] of cases)
    it(what, () => expect(openSecret(text, place, keys)).to.equal(opened));

  it('never looks the same twice', () => {
    expect(sealSecret('hush', 'a', [key])).to.not.equal(sealSecret('hush', 'a', [key]));
  });
});

function shortTag(sealed: string): string {
  const parts = sealed.split(':');
  parts[4] = Buffer.from(parts[4] ?? '', 'base64url')
    .subarray(0, 4)
    .toString('base64url');
  return parts.join(':');
}
