import { expect } from 'chai';
import { eventCases } from './node-parity/event-cases.ts';
import { packageCases } from './node-parity/package-cases.ts';
import { onNode, onProxy } from './node-parity/parity-rig.ts';
import { requestCases } from './node-parity/request-cases.ts';
import { responseCases } from './node-parity/response-cases.ts';

describe('Express middleware gets from the proxy what it gets from node:http', () => {
  for (const parity of [...eventCases, ...requestCases, ...responseCases, ...packageCases])
    it(parity.name, async () => {
      const expected = await onNode(parity);
      expect([...expected.notes, ...expected.seen], 'what node:http showed').to.not.deep.equal([]);
      expect(await onProxy(parity)).to.deep.equal(expected);
    });
});
