import { once } from 'node:events';
import { createServer, get as httpGet } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import express from 'express';
import { streamParts } from '../../../test/stream-parts.ts';
import type { AdminParts } from './admin-parts.ts';
import { eventRoutes } from './event-routes.ts';
import { liveRoutes } from './live-routes.ts';

describe('a client that is gone before its stream begins', () => {
  for (const path of ['/v1/events', '/v1/requests'])
    it(`leaves nothing behind of GET ${path}`, async () => {
      let begun = 0;
      const begin = () => {
        begun += 1;
        return () => {
          begun -= 1;
        };
      };
      const server = { workers: () => [], watchRequests: begin } as unknown as AdminParts['server'];
      const parts = streamParts({ subscribe: begin }, { server });
      const called = Promise.withResolvers<void>();
      const routed = Promise.withResolvers<void>();
      const app = express()
        // As the look for a session in a registry that is slow to respond.
        .use((_request, response, next) => {
          called.resolve();
          response.locals.session = { value: 'a', endsAtMs: Number.POSITIVE_INFINITY, isValid: async () => true };
          response.once('close', () => {
            setImmediate(() => {
              next();
              routed.resolve();
            });
          });
        })
        .use(eventRoutes(parts), liveRoutes(parts));
      const listening = createServer(app).listen(0, '127.0.0.1');
      await once(listening, 'listening');
      const { port } = listening.address() as AddressInfo;
      const client = httpGet({ host: '127.0.0.1', port, path, agent: false }).on('error', () => {});
      await called.promise;
      client.destroy();
      await routed.promise;
      listening.close();
      expect(begun).to.equal(0);
    });
});
