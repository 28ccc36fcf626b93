import { expect } from 'chai';
import { startBackend } from '../scripted-backend.ts';
import { type MakeServer, startRig } from '../server-rig.ts';
import { endpointAt } from '../test-context.ts';
import { until } from '../until.ts';
import { refusedRequests } from './refused-requests.ts';

export function refusals(makeServer: MakeServer): void {
  describe('refuses', () => {
    for (const { name, rfc, bytes, status, reason } of refusedRequests) {
      it(`${name} (RFC ${rfc})`, async () => {
        const backend = await startBackend();
        const rig = await startRig(makeServer, { endpoints: [endpointAt(backend.port)] });
        try {
          const client = rig.client();
          client.send(bytes);
          const response = await client.response();
          expect(response.status).to.equal(status);
          expect(response.header('x-swarmgate-reason')).to.be.a('string');
          if (reason !== undefined) expect(response.header('x-swarmgate-reason')).to.equal(reason);
          await client.end();
          expect(client.received, 'bytes behind the refusal').to.equal('');
          const served = backend.requests.filter((request) => request.whole);
          expect(served.map((request) => request.target)).to.deep.equal([]);
          client.destroy();
          await until(() => rig.context.outstanding === 0, 'the pick to be finished');
        } finally {
          await rig.stop();
          await backend.stop();
        }
      });
    }
  });
}
