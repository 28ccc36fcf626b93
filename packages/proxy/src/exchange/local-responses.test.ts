import { expect } from 'chai';
import { type LocalResponseReason, localResponse, localResponseHeaders, localResponses } from './local-responses.ts';

describe('responses of the proxy itself', () => {
  for (const [reason, { status }] of Object.entries(localResponses))
    it(`have a text: ${status} ${reason}`, () => {
      const response = localResponse(reason as LocalResponseReason);
      expect(response.status).to.equal(status);
      const headers = localResponseHeaders(response);
      expect(headers[headers.indexOf('X-Swarmgate-Reason') + 1]).to.equal(reason);
      expect(headers[headers.indexOf('Content-Length') + 1]).to.equal(String(Buffer.byteLength(response.body ?? '')));
    });
});
