import { expect } from 'chai';
import {
  ClientRig,
  data,
  goaway,
  headers,
  openClient,
  parseFrames,
  rstStream,
  settings,
  windowUpdate,
} from '../../../test/http2-wire.ts';
import { clientPreface, ErrorCode, Flag, Setting } from './frames.ts';
import { flatFields } from './message-head.ts';

const open = Flag.endHeaders;
const ended = open | Flag.endStream;

describe('HTTP/2 client session (RFC 9113)', () => {
  it('3.4 sends the preface, SETTINGS without push, and may send requests at once', () => {
    const rig = new ClientRig({ initialStreams: 2 });
    expect(rig.session.capacity).to.equal(2);
    rig.get('/a');
    const bytes = rig.bytes();
    expect(bytes.subarray(0, 24)).to.deep.equal(clientPreface);
    const [first, , request] = parseFrames(bytes.subarray(24));
    expect(first?.payload.toString('hex')).to.equal('000200000000' + '000400040000' + '000600008000');
    expect(request === undefined ? [] : rig.decode(request)).to.deep.equal([
      ':method',
      'GET',
      ':scheme',
      'http',
      ':path',
      '/a',
      ':authority',
      'a',
    ]);
  });

  it('sends a request with a body and trailers, and reports the response with its own', () => {
    const rig = openClient();
    const stream = rig.session.request(
      { method: 'POST', scheme: 'https', authority: 'a', path: '/x' },
      ['TE', 'trailers'],
      false,
    );
    stream?.sendData(Buffer.from('hello'), 0, 5, false);
    stream?.sendTrailers(['x', 'y']);
    expect(rig.sent()).to.deep.equal(['headers 1', 'data 1 hello', 'headers 1 end']);
    rig.feed(
      headers(
        1,
        [
          [':status', '103'],
          ['link', 'x'],
        ],
        open,
      ),
      headers(
        1,
        [
          [':status', '200'],
          ['a', 'b'],
        ],
        open,
      ),
    );
    rig.feed(data(1, 'world'), headers(1, [['grpc-status', '0']], ended));
    expect(rig.events()).to.deep.equal(['interim 1 103', 'response 1 200', 'data 1 5', 'trailers 1', 'end 1']);
    expect(flatFields(rig.recorder.heads[0]?.fields ?? [])).to.deep.equal(['a', 'b']);
    expect([rig.recorder.bodies.get(1), rig.session.openStreams]).to.deep.equal(['world', 0]);
  });

  it('numbers streams 1, 3, 5', () => {
    const rig = openClient();
    expect([rig.get().id, rig.get().id, rig.get().id]).to.deep.equal([1, 3, 5]);
  });

  it('5.1.2 keeps to the peer’s limit, and gets capacity back with each response', () => {
    const rig = openClient({}, [[Setting.maxConcurrentStreams, 2]]);
    rig.get();
    rig.get();
    expect(rig.session.capacity).to.equal(0);
    expect(rig.session.request({ method: 'GET', scheme: 'http', authority: 'a', path: '/' }, [], true)).to.equal(
      undefined,
    );
    rig.feed(headers(1, [[':status', '204']], ended));
    expect([rig.events(), rig.session.capacity]).to.deep.equal([['response 1 204 end'], 1]);
    rig.feed(settings([[Setting.maxConcurrentStreams, 0]]));
    expect(rig.session.capacity).to.equal(0);
  });

  it('8441-3 sends an extended CONNECT', () => {
    const rig = openClient({}, [[Setting.enableConnectProtocol, 1]]);
    expect(rig.session.peer.connectProtocol).to.equal(true);
    rig.session.request(
      { method: 'CONNECT', scheme: 'http', authority: 'a', path: '/chat', protocol: 'websocket' },
      [],
      false,
    );
    const [request] = rig.frames();
    expect(request === undefined ? [] : rig.decode(request).slice(-2)).to.deep.equal([':protocol', 'websocket']);
  });

  it('does not send a request with a line break, and sends the next on the same stream', () => {
    const rig = openClient();
    const line = { method: 'GET', scheme: 'http', authority: 'a', path: '/\r\nx' } as const;
    expect(rig.session.request(line, [], true)).to.equal(undefined);
    expect(rig.session.request({ ...line, path: '/' }, ['a:', 'b'], true)).to.equal(undefined);
    expect(rig.get().id).to.equal(1);
  });

  it('8.7 marks what the peer refused as unprocessed', () => {
    const rig = openClient();
    rig.get();
    rig.get();
    rig.feed(rstStream(1, ErrorCode.refusedStream), rstStream(3, ErrorCode.internalError));
    expect(rig.recorder.resets.map(({ errorCode, unprocessed }) => [errorCode, unprocessed])).to.deep.equal([
      [7, true],
      [2, false],
    ]);
  });

  it('6.8 gives back streams above GOAWAY, finishes the others, and is drained then', () => {
    const rig = openClient();
    for (let each = 0; each < 3; each++) rig.get();
    rig.feed(goaway(3));
    expect(rig.events()).to.deep.equal(['reset 5 7 connection goaway', 'goaway 3 0']);
    expect([rig.recorder.resets[0]?.unprocessed, rig.session.capacity]).to.deep.equal([true, 0]);
    rig.feed(headers(1, [[':status', '204']], ended));
    rig.feed(goaway(1));
    expect(rig.events()).to.deep.equal(['response 1 204 end', 'reset 3 7 connection goaway', 'drained', 'goaway 1 0']);
  });

  it('6.8 takes the two GOAWAY frames of a graceful end', () => {
    const rig = openClient();
    rig.get();
    rig.feed(goaway(2 ** 31 - 1));
    expect([rig.events(), rig.session.capacity]).to.deep.equal([['goaway 2147483647 0'], 0]);
    rig.feed(goaway(1), headers(1, [[':status', '204']], ended));
    expect(rig.events()).to.deep.equal(['goaway 1 0', 'response 1 204 end', 'drained']);
  });

  it('drains by its own wish', () => {
    const rig = openClient();
    rig.get();
    rig.session.drain();
    expect([rig.sent(), rig.session.capacity]).to.deep.equal([['headers 1 end', 'goaway 0 0'], 0]);
    rig.feed(headers(1, [[':status', '204']], ended));
    expect(rig.events()).to.deep.equal(['response 1 204 end', 'drained']);
  });

  it('8.1 takes a whole response before the request has ended, and NO_ERROR behind it', () => {
    const rig = openClient();
    const stream = rig.post();
    rig.feed(headers(1, [[':status', '413']], ended), rstStream(1, 0));
    expect(rig.events()).to.deep.equal(['response 1 413 end', 'reset 1 0 peer reset']);
    expect(stream.closed).to.equal(true);
  });

  it('5.2 keeps to the windows of the peer', () => {
    const rig = openClient({}, [[Setting.initialWindowSize, 3]]);
    const stream = rig.post();
    expect(stream.sendData(Buffer.from('hello'), 0, 5, true)).to.equal(false);
    expect(rig.feed(windowUpdate(1, 2)).sent()).to.deep.equal(['headers 1', 'data 1 hel', 'data 1 end lo']);
  });

  it('RFC 9110, 9.3.2: the length of a response to HEAD says nothing of a body', () => {
    const rig = openClient();
    rig.get('/', 'HEAD');
    rig.feed(
      headers(
        1,
        [
          [':status', '200'],
          ['content-length', '5'],
        ],
        ended,
      ),
    );
    expect(rig.events()).to.deep.equal(['response 1 200 end']);
    expect(rig.recorder.heads[0]?.contentLength).to.equal(5);
    rig.get();
    rig.feed(
      headers(
        3,
        [
          [':status', '304'],
          ['content-length', '5'],
        ],
        ended,
      ),
    );
    expect(rig.events()).to.deep.equal(['response 3 304 end']);
  });

  it('leaves set-cookie fields apart', () => {
    const rig = openClient();
    rig.get();
    rig.feed(
      headers(
        1,
        [
          [':status', '200'],
          ['set-cookie', 'a=b'],
          ['set-cookie', 'c=d'],
          ['cookie', 'x'],
          ['cookie', 'y'],
        ],
        ended,
      ),
    );
    expect(rig.recorder.heads[0]?.fields.length).to.equal(4);
  });
});
