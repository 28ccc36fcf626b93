import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Destination } from '@swarmgate/registry';
import { expect } from 'chai';
import { endpointAt, tinyRoute } from '../../test/test-context.ts';
import type { Endpoint } from '../model/endpoint.ts';
import { checkEndpoint } from './check-endpoint.ts';

describe('a health check of a real endpoint', () => {
  const ended = new AbortController();
  let server: Server;
  let seen: string[];
  let status: number;
  let endpoint: Endpoint;
  const ask = (destination: Partial<Destination>, withinMs = 20_000) =>
    checkEndpoint(endpoint, tinyRoute('web', destination), withinMs, ended.signal);

  beforeEach(async () => {
    seen = [];
    status = 200;
    server = createServer((request, response) => {
      seen.push(`${request.headers.host} ${request.url}`);
      if (status > 0) response.writeHead(status).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    endpoint = endpointAt((server.address() as AddressInfo).port);
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  it('passes by 200 to 399, and ask for the path under the service’s name', async () => {
    const destination = { checkPath: '/health?x', serviceDomain: ['*.any.example', 'shop.example'] };
    expect(await ask(destination)).to.equal(true);
    expect(seen).to.deep.equal(['shop.example /health?x']);
    for (const [each, passes] of [
      [302, true],
      [404, false],
      [503, false],
    ] as const) {
      status = each;
      expect(await ask(destination), String(each)).to.equal(passes);
    }
  });

  it('fails where no answer comes, or no connection', async () => {
    status = 0;
    expect(await ask({ checkPath: '/' }, 100)).to.equal(false);
    server.close();
    server.closeAllConnections();
    expect(await ask({ checkPath: '/' })).to.equal(false);
    expect(await ask({ checkTcp: true })).to.equal(false);
  });

  it('is content with a connection for checkTcp', async () => {
    expect(await ask({ checkTcp: true })).to.equal(true);
    expect(seen).to.deep.equal([]);
  });
});
