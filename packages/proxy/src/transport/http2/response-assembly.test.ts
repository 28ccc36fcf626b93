import { expect } from 'chai';
import type { ResponseHead } from '../../http/http2/message-head.ts';
import type { ResponseConsumer } from '../response-reader.ts';
import { ResponseAssembly } from './response-assembly.ts';

describe('a response of an HTTP/2 endpoint', () => {
  it('needs a buffer of its own only for reads of which a slow client has yet to take something', () => {
    let isSlow = true;
    const receiver: ResponseConsumer = {
      wantsPayload: false,
      onInterim: () => undefined,
      onHead: () => isSlow,
      onBody: () => isSlow,
      onUpgrade: () => undefined,
    };
    const head = { status: 200, contentLength: -1, fields: [] } as unknown as ResponseHead;
    const response = new ResponseAssembly(head, 'GET', receiver);
    const read = () => {
      response.add(Buffer.from('abc'), 0, 3);
      response.deliver();
      return response.takeInUse();
    };
    expect(read()).to.equal(true);
    isSlow = false;
    expect(read()).to.equal(false);
    isSlow = true;
    expect(read()).to.equal(true);
  });
});
