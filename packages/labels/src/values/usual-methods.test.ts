import { METHODS } from 'node:http';
import { expect } from 'chai';
import { usualMethods } from './usual-methods.ts';

describe('usual methods', () => {
  it('are those of Node', () => {
    expect([...usualMethods]).to.have.members([...new Set([...METHODS, 'QUERY'])]);
  });
});
