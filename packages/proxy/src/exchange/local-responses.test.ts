import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { type LocalResponseReason, localResponse, localResponseHeaders, localResponses } from './local-responses.ts';

describe('answers of the proxy itself', () => {
  it('stand in docs/forwarding.md, each with its status', async () => {
    const page = await readFile(new URL('../../../../docs/forwarding.md', import.meta.url), 'utf8');
    const listed = [...page.matchAll(/^\| (\d{3}) \| `([a-z-]+)` \|.*$/gm)];
    const known = Object.entries(localResponses);
    expect(listed.map(([, status, reason]) => `${status} ${reason}`)).to.have.members(
      known.map(([reason, { status }]) => `${status} ${reason}`),
    );
    for (const [line, , reason] of listed)
      expect(line.includes('Retry-After'), reason).to.equal(
        'retryAfter' in localResponses[reason as LocalResponseReason],
      );
  });

  for (const [reason, { status }] of Object.entries(localResponses))
    it(`say why: ${status} ${reason}`, () => {
      const response = localResponse(reason as LocalResponseReason);
      expect(response.status).to.equal(status);
      const headers = localResponseHeaders(response);
      expect(headers[headers.indexOf('X-Swarmgate-Reason') + 1]).to.equal(reason);
      expect(headers[headers.indexOf('Content-Length') + 1]).to.equal(String(Buffer.byteLength(response.body ?? '')));
    });
});
