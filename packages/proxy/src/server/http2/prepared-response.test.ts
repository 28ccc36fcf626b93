import { expect } from 'chai';
import { type LocalResponseReason, localResponse, localResponses } from '../../exchange/local-responses.ts';
import { bytesOf } from '../../http/http2/field-lines.ts';
import { httpDate } from '../http1/local-response-text.ts';
import { preparedResponse } from './prepared-response.ts';

describe('responses of the proxy itself over HTTP/2', () => {
  for (const reason of Object.keys(localResponses) as LocalResponseReason[])
    it(`are made once for all requests: ${reason}`, () => {
      const first = preparedResponse(localResponse(reason));
      const again = preparedResponse(localResponse(reason));
      // The second may have changed in between.
      if (first.flat.at(-1) === again.flat.at(-1)) expect(again).to.equal(first);
      expect(again.body).to.equal(first.body);
      expect(first.flat.join('\n')).to.include(`x-swarmgate-reason\n${reason}`);
      expect(first.headBytes).to.equal(bytesOf(first.flat));
      expect(first.flat[first.flat.indexOf('content-length') + 1]).to.equal(String(first.body.length));
      expect(first.body.toString().trim()).to.equal(localResponses[reason].body);
    });

  it('have the date of the second in which they are sent', () => {
    const { now } = Date;
    try {
      const dates = [1_700_000_000_000, 1_700_000_000_999, 1_700_000_001_000].map((ms) => {
        Date.now = () => ms;
        return preparedResponse(localResponse('no-route')).flat.at(-1);
      });
      expect(dates).to.deep.equal([
        'Tue, 14 Nov 2023 22:13:20 GMT',
        'Tue, 14 Nov 2023 22:13:20 GMT',
        'Tue, 14 Nov 2023 22:13:21 GMT',
      ]);
    } finally {
      Date.now = now;
    }
    expect(preparedResponse(localResponse('no-route')).flat.at(-1)).to.equal(httpDate());
  });

  it('are those of one request where they say where it is to go', () => {
    const one = preparedResponse(localResponse('redirect', 'https://one.example/'));
    const other = preparedResponse(localResponse('redirect', 'https://other.example/'));
    expect(one.flat).to.include('https://one.example/');
    expect(other.flat).to.include('https://other.example/');
  });

  it('are another’s where it has changed their reason or their fields', () => {
    const changed = preparedResponse({ ...localResponse('no-route'), reason: 'no-route', headers: ['X-More', 'yes'] });
    expect(changed.flat).to.include('x-more');
    expect(preparedResponse(localResponse('no-route')).flat).to.not.include('x-more');
  });
});
