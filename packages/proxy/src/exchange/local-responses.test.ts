import { readFile } from 'node:fs/promises';
import { STATUS_CODES } from 'node:http';
import { expect } from 'chai';
import { answerBytes, type LocalResponseReason, localResponse, localResponses } from './local-responses.ts';

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
      const bytes = answerBytes(
        localResponse(reason as LocalResponseReason),
        STATUS_CODES[status] ?? 'Unknown',
      ).toString();
      const [head = '', body = ''] = bytes.split('\r\n\r\n');
      expect(head).to.match(new RegExp(`^HTTP/1\\.1 ${status} `));
      expect(head.split('\r\n')).to.include.members([
        `X-Swarmgate-Reason: ${reason}`,
        `Content-Length: ${Buffer.byteLength(body)}`,
        'Connection: close',
      ]);
    });
});
