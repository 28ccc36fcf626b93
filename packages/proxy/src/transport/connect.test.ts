import { createServer, type Server, type Socket } from 'node:net';
import { expect } from 'chai';
import { endpointAt } from '../../test/test-context.ts';
import type { Endpoint } from '../model/endpoint.ts';
import { connectToPicked } from './connect.ts';

describe('connecting to an endpoint', () => {
  let server: Server;
  let endpoint: Endpoint;
  const accepted: Socket[] = [];

  beforeEach(async () => {
    // It never says what TLS begins with: a connection that does not get ready, which loopback lets no plain one be.
    server = createServer((socket) => accepted.push(socket.on('error', () => undefined)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    endpoint = endpointAt(address !== null && typeof address === 'object' ? address.port : 0, { secure: true });
  });
  afterEach(() => {
    for (const socket of accepted.splice(0)) socket.destroy();
    server.close();
  });

  const failure = (hasOthers: boolean, connectMs: number) =>
    connectToPicked({ endpoint, hasOthers }, connectMs).then(
      () => 'connected',
      (error: Error) => error.message,
    );

  it('takes a second at most where another one could be tried, else what the setting says', async () => {
    const [short, long, alone] = await Promise.all([failure(true, 20), failure(true, 60_000), failure(false, 1_010)]);
    expect(short).to.include('within 20 ms');
    expect(long).to.include('within 1000 ms');
    expect(alone).to.include('within 1010 ms');
  });
});
