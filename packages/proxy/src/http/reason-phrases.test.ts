import { nodeHttp } from '@swarmgate/runtime/node-http';
import { expect } from 'chai';
import { reasonPhrases } from './reason-phrases.ts';

describe('reason phrases', () => {
  it('are those of Node', () => {
    expect(reasonPhrases).to.deep.equal(nodeHttp.STATUS_CODES);
  });
});
