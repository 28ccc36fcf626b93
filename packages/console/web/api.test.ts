import { expect } from 'chai';
import { CallError, change, read } from './api.ts';

describe('a call that is refused', () => {
  const { fetch } = globalThis;
  after(() => {
    globalThis.fetch = fetch;
  });
  /** The proxy's response to every call; no console test can make it give these at a known moment. */
  const respond = (status: number, body: object) => {
    globalThis.fetch = async () => Response.json(body, { status, headers: { 'X-Swarmgate-Reason': 'a-reason' } });
  };
  const refusal = async (call: Promise<unknown>): Promise<CallError> => {
    const error = await call.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (!(error instanceof CallError)) throw new Error('it was not refused');
    return error;
  };
  const token = { Message: 'this call needs `Authorization: Bearer <ADMIN_TOKEN>`' };

  it('leads to the login where that has ended: the proxy’s own message names a header', async () => {
    respond(401, token);
    for (const call of [read('/v1/services'), change('POST', '/v1/maintenance', {}), change('POST', '/v1/check', {})]) {
      const { status, message } = await refusal(call);
      expect([status, message]).to.deep.equal([401, 'there is no login, or it has ended']);
    }
  });

  it('has the proxy’s message where the login itself is refused, and of every other refusal', async () => {
    respond(401, { Message: 'this is not ADMIN_TOKEN' });
    expect(await refusal(change('POST', '/v1/session', { token: 'x' }))).to.include({
      message: 'this is not ADMIN_TOKEN',
    });
    respond(403, token);
    expect(await refusal(read('/v1/services'))).to.include({ message: token.Message, reason: 'a-reason' });
  });

  it('has the status where the response has no message', async () => {
    respond(502, {});
    expect(await refusal(read('/v1/services'))).to.include({ message: 'the proxy responded with 502' });
  });
});
