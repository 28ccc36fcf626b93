import { expect } from 'chai';
import { knownNames } from './field-section.ts';
import { hopByHop } from './head-text.ts';
import { connectionFields, hopByHopFields } from './hop-by-hop.ts';

describe('the fields of one hop', () => {
  it('are those of RFC 9110, section 7.6.1, and what clients send to proxies alone', () => {
    expect([...hopByHopFields].sort()).to.deep.equal([
      'connection',
      'keep-alive',
      'proxy-authenticate',
      'proxy-authorization',
      'proxy-connection',
      'te',
      'transfer-encoding',
      'upgrade',
    ]);
    expect([...hopByHopFields].filter((name) => !connectionFields.has(name))).to.deep.equal([
      'proxy-authenticate',
      'proxy-authorization',
    ]);
  });

  it('are each marked in a parsed head, and no other field is', () => {
    const marked = knownNames.filter(([, kind]) => hopByHop[kind] === 1).map(([name]) => name);
    expect(marked.sort()).to.deep.equal([...hopByHopFields].sort());
  });
});
