import { expect } from 'chai';
import { freePort } from '../../../test/free-ports.ts';
import { echo, startBackend } from '../../../test/scripted-backend.ts';
import { makeCoreServer, makeExpressServer, makeHttp2Server, startRig } from '../../../test/server-rig.ts';
import { endpointAt } from '../../../test/test-context.ts';
import { retry } from './retry.ts';

describe('retry', () => {
  for (const [server, make] of [
    ['core', makeCoreServer],
    ['Express', makeExpressServer],
    ['HTTP/2', makeHttp2Server],
  ] as const)
    for (const [attempts, status] of [
      [1, 502],
      [2, 200],
    ] as const)
      it(`of ${attempts} gets ${status} where the first endpoint accepts no connections (${server})`, async () => {
        const backend = await startBackend();
        backend.onRequest = echo;
        const endpoints = [await freePort(), backend.port].map((port) => endpointAt(port));
        const rig = await startRig(make, { endpoints, steps: [retry({ kind: 'retry', attempts })] });
        const response = await fetch(`http://127.0.0.1:${rig.port}/`);
        expect(response.status).to.equal(status);
        await rig.stop();
        await backend.stop();
      });
});
