import { expect } from 'chai';
import {
  block,
  ClientRig,
  data,
  frame,
  goaway,
  headers,
  openClient,
  rstStream,
  settings,
  settingsAck,
  uint32,
} from '../../../test/http2-wire.ts';
import { ErrorCode, Flag, Frame, Setting } from './frames.ts';

const open = Flag.endHeaders;
const ended = open | Flag.endStream;

describe('HTTP/2 client session: errors (RFC 9113)', () => {
  const status = headers(1, [[':status', '200']], open);
  const streamCases: readonly (readonly [string, readonly Buffer[], number, string])[] = [
    ['8.1 DATA before the head', [data(1, 'x')], 1, 'data-before-head'],
    ['8.1 DATA behind an interim head', [headers(1, [[':status', '100']], open), data(1, 'x')], 1, 'data-before-head'],
    ['8.1 an interim head that ends the stream', [headers(1, [[':status', '103']], ended)], 1, 'malformed'],
    ['8.1 a second head', [status, headers(1, [[':status', '200']], open)], 1, 'trailers-without-end'],
    ['8.3.2 no :status', [headers(1, [['a', 'b']], ended)], 1, 'malformed'],
    [
      '8.3.2 :status twice',
      [
        headers(
          1,
          [
            [':status', '200'],
            [':status', '200'],
          ],
          ended,
        ),
      ],
      1,
      'malformed',
    ],
    ['8.3.2 :status of two digits', [headers(1, [[':status', '20']], ended)], 1, 'malformed'],
    ['8.3.2 :status of letters', [headers(1, [[':status', '2xx']], ended)], 1, 'malformed'],
    ['8.3.2 :status above 599', [headers(1, [[':status', '600']], ended)], 1, 'malformed'],
    [
      '8.3 a request’s pseudo-header field',
      [
        headers(
          1,
          [
            [':status', '200'],
            [':path', '/'],
          ],
          ended,
        ),
      ],
      1,
      'malformed',
    ],
    ['8.6 status 101', [headers(1, [[':status', '101']], open)], 1, 'malformed'],
    [
      '8.2.1 a line break in a value',
      [
        headers(
          1,
          [
            [':status', '200'],
            ['a', 'b\r\nc'],
          ],
          ended,
        ),
      ],
      1,
      'malformed',
    ],
    [
      '8.2.2 transfer-encoding',
      [
        headers(
          1,
          [
            [':status', '200'],
            ['transfer-encoding', 'chunked'],
          ],
          ended,
        ),
      ],
      1,
      'malformed',
    ],
    [
      '8.1.1 two lengths',
      [
        headers(
          1,
          [
            [':status', '200'],
            ['content-length', '1'],
            ['content-length', '1'],
          ],
          open,
        ),
      ],
      1,
      'malformed',
    ],
    [
      '8.1.1 a length without a body',
      [
        headers(
          1,
          [
            [':status', '200'],
            ['content-length', '1'],
          ],
          ended,
        ),
      ],
      1,
      'content-length-mismatch',
    ],
    [
      '8.1.1 a body beyond its length',
      [
        headers(
          1,
          [
            [':status', '200'],
            ['content-length', '1'],
          ],
          open,
        ),
        data(1, 'xy'),
      ],
      1,
      'content-length-mismatch',
    ],
    ['8.1.1 a body for 204', [headers(1, [[':status', '204']], open), data(1, 'x')], 1, 'content-length-mismatch'],
    [
      '10.5.1 a head over the limit',
      [
        headers(
          1,
          [
            [':status', '200'],
            ['a', 'x'.repeat(2_000)],
          ],
          open,
        ),
      ],
      1,
      'head-too-large',
    ],
    ['5.1 DATA behind the end', [headers(1, [[':status', '200']], ended), data(1, 'x')], 5, 'half-closed-stream'],
  ];
  for (const [name, bytes, errorCode, cause] of streamCases) {
    it(`${name}: RST_STREAM, and the other streams go on`, () => {
      const rig = openClient({ maxHeadBytes: 1_000 });
      rig.post();
      rig.get();
      rig.bytes();
      rig.feed(...bytes);
      expect(rig.sent()).to.deep.equal([`rstStream 1 ${errorCode}`]);
      expect(rig.events().at(-1)).to.equal(`reset 1 ${errorCode} local ${cause}`);
      expect(rig.feed(headers(3, [[':status', '204']], ended)).events()).to.deep.equal(['response 3 204 end']);
    });
  }

  const connectionCases: readonly (readonly [string, readonly Buffer[], number, string])[] = [
    ['5.1 HEADERS on an idle stream', [headers(3, [[':status', '200']])], 1, 'idle-stream'],
    ['5.1.1 HEADERS on an even stream', [headers(2, [[':status', '200']])], 1, 'idle-stream'],
    ['5.1 RST_STREAM on an idle stream', [rstStream(3, 0)], 1, 'idle-stream'],
    ['6.5.2 ENABLE_PUSH of 1 from a server', [settings([[Setting.enablePush, 1]])], 1, 'bad-setting'],
    [
      '6.6 PUSH_PROMISE',
      [frame(Frame.pushPromise, open, 1, Buffer.concat([uint32(2), block([[':method', 'GET']])]))],
      1,
      'push',
    ],
    ['6.8 an identifier that grows', [goaway(1), goaway(3)], 1, 'goaway-identifier-grew'],
    [
      '5.1 HEADERS on a closed stream',
      [headers(1, [[':status', '200']]), headers(1, [[':status', '200']])],
      5,
      'closed-stream',
    ],
  ];
  for (const [name, bytes, errorCode, cause] of connectionCases) {
    it(`${name}: GOAWAY`, () => {
      const rig = openClient();
      rig.get();
      rig.bytes();
      rig.feed(...bytes);
      expect(rig.sent().at(-1)).to.equal(`goaway 0 ${errorCode} ${cause}`);
      expect(rig.recorder.faults.map((fault) => fault.cause)).to.deep.equal([cause]);
    });
  }

  it('3.4 requires SETTINGS first', () => {
    const rig = new ClientRig().feed(settingsAck);
    expect(rig.events()).to.deep.equal(['fault 1 settings-not-first']);
  });

  it('5.1 ignores a response to a stream that it has reset', () => {
    const rig = openClient();
    rig.get().reset(ErrorCode.cancel);
    rig.feed(headers(1, [[':status', '200']], open), data(1, 'x', true));
    expect([rig.events(), rig.sent()]).to.deep.equal([[], ['headers 1 end', 'rstStream 1 8']]);
  });
});
