import { expect } from 'chai';
import { describeBehind, newestChange } from './replica-positions.ts';

describe('how far replicas are, as the console shows it', () => {
  const at = (sequence: number, registryId = 'new') => ({ registryId, sequence });
  const status = { sequence: 4, registry: { registryId: 'new' }, replicas: [at(4), at(5), at(3), at(500, 'lost')] };

  it('is compared with the newest change of the registry in use, whatever replicas of a lost one report', () => {
    expect(newestChange(status)).to.equal(5);
    expect(status.replicas.map((replica) => describeBehind(replica, status))).to.deep.equal([
      '1 change',
      'none',
      '2 changes',
      'serves another registry',
    ]);
  });
});
