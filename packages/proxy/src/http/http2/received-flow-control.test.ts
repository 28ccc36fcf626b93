import { expect } from 'chai';
import {
  data,
  frame,
  headers,
  openServer,
  plainPost,
  ServerRig,
  settings,
  settingsAck,
} from '../../../test/http2-wire.ts';
import { clientPreface, Flag, Frame } from './frames.ts';

const open = Flag.endHeaders;

describe('HTTP/2 flow control of what is received (RFC 9113, sections 5.2 and 6.9)', () => {
  const small = { streamWindowBytes: 100, connectionWindowBytes: 65_535 };

  it('gives window back when half of it was consumed', () => {
    const rig = openServer(small).feed(headers(1, plainPost, open));
    rig.recorder.consumes = false;
    rig.feed(data(1, 'x'.repeat(90)));
    expect(rig.sent()).to.deep.equal([]);
    const stream = rig.recorder.streams[0];
    stream?.consumed(49);
    expect(rig.sent()).to.deep.equal([]);
    stream?.consumed(1);
    expect(rig.sent()).to.deep.equal(['windowUpdate 1 50']);
    stream?.consumed(1_000);
    expect(stream?.unconsumedBytes).to.equal(0);
  });

  it('gives nothing back for a stream that has ended', () => {
    const rig = openServer(small).feed(headers(1, plainPost, open), data(1, 'x'.repeat(90), true));
    rig.recorder.streams[0]?.consumed(90);
    expect(rig.sent()).to.deep.equal([]);
  });

  it('6.9.1 resets a stream that exceeds its window', () => {
    const rig = openServer(small).feed(headers(1, plainPost, open));
    rig.recorder.consumes = false;
    rig.feed(data(1, 'x'.repeat(60)), data(1, 'x'.repeat(41)));
    expect(rig.sent()).to.deep.equal(['rstStream 1 3']);
    expect(rig.events().at(-1)).to.equal('reset 1 3 local window-exceeded');
  });

  it('6.9.1 counts padding', () => {
    const rig = openServer(small).feed(headers(1, plainPost, open));
    rig.recorder.consumes = false;
    rig.feed(frame(Frame.data, Flag.padded, 1, Buffer.concat([Buffer.from([99]), Buffer.alloc(100)])));
    expect(rig.sent()).to.deep.equal(['rstStream 1 3']);
  });

  it('consumes padding itself', () => {
    const rig = openServer(small).feed(headers(1, plainPost, open));
    rig.recorder.consumes = false;
    rig.feed(frame(Frame.data, Flag.padded, 1, Buffer.concat([Buffer.from([59, 1]), Buffer.alloc(59)])));
    expect(rig.sent()).to.deep.equal(['windowUpdate 1 60']);
  });

  it('6.9.1 ends a connection that exceeds its window', () => {
    const rig = openServer({ streamWindowBytes: 1_000_000, connectionWindowBytes: 65_535 });
    rig.recorder.consumes = false;
    rig.feed(headers(1, plainPost, open));
    for (let each = 0; each < 4; each++) rig.feed(data(1, Buffer.alloc(16_384)));
    expect(rig.sent()).to.deep.equal(['goaway 1 3 window-exceeded']);
  });

  it('credits unconsumed bytes of a closed stream to the connection', () => {
    const rig = openServer({ streamWindowBytes: 200_000, connectionWindowBytes: 65_535 });
    rig.recorder.consumes = false;
    rig.feed(headers(1, plainPost, open), data(1, Buffer.alloc(16_384)), data(1, Buffer.alloc(16_384)));
    rig.recorder.streams[0]?.reset(0);
    expect(rig.sent()).to.deep.equal(['rstStream 1 0', 'windowUpdate 0 32768']);
    rig.feed(data(1, Buffer.alloc(16_384)), data(1, Buffer.alloc(16_384)));
    expect(rig.sent()).to.deep.equal(['windowUpdate 0 32768']);
  });

  it('gives the connection the rest of a frame whose stream is reset while it is read', () => {
    const rig = openServer({ streamWindowBytes: 200_000, connectionWindowBytes: 65_535 });
    rig.recorder.onData = (stream) => stream.reset(8);
    rig.feed(headers(1, plainPost, open));
    for (let each = 1; each <= 9; each++) {
      const body = data(each * 2 - 1, Buffer.alloc(16_000));
      rig.feed(body.subarray(0, 100)).feed(body.subarray(100), headers(each * 2 + 1, plainPost, open));
    }
    expect(rig.session.closed).to.equal(false);
    expect(rig.events().filter((event) => event.startsWith('request')).length).to.equal(10);
  });

  it('6.9.2 allows the initial window until its own setting is acknowledged', () => {
    const rig = new ServerRig(small).feed(clientPreface, settings(), headers(1, plainPost, open));
    rig.recorder.consumes = false;
    rig.bytes();
    rig.feed(data(1, 'x'.repeat(1_000)));
    expect(rig.sent()).to.deep.equal([]);
    rig.feed(settingsAck, headers(3, plainPost, open), data(3, 'x'.repeat(101)), data(1, 'x'));
    expect(rig.sent()).to.deep.equal(['rstStream 3 3', 'rstStream 1 3']);
  });
});
