import { readFile } from 'node:fs/promises';
import { keyPatterns } from '@swarmgate/registry';
import { expect } from 'chai';

describe('docs/registry.md', () => {
  it('names every key of the layout, and no other', async () => {
    const page = await readFile(new URL('../../docs/registry.md', import.meta.url), 'utf8');
    const named = [...page.matchAll(/^\| `<instance>\/([^`]+)` \|/gm)].map(([, key]) => key);
    expect(named.toSorted()).to.deep.equal([...keyPatterns].toSorted());
  });
});
