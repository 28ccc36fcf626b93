import { faultsIn, type Mutant } from './mutant.ts';

const proxy = 'packages/proxy/src';
const through = ['test/integration/proxy/forwarded-bytes.test.ts'];
const tunnelled = ['test/integration/proxy/tunnelled-bytes.test.ts'];

/** Bytes that are not those of their exchange: sent twice, lost, another's, or fewer than they pass for. */
export const byteMutants: readonly Mutant[] = [
  ...faultsIn(`${proxy}/http/http2/sender.ts`, through, [
    ["what waits for a window is another read's", '    keepLast(stream.queue);\n', ''],
    ['what has left of a waiting piece leaves again', '      next.from = to;\n', ''],
  ]),
  ...faultsIn(
    `${proxy}/http/http2/sender.ts`,
    [`${proxy}/http/http2/flow-control.test.ts`],
    [
      [
        'an empty last piece takes a window below zero for its length',
        'length === 0 ? 0 : Math.min(length,',
        'Math.min(length,',
      ],
    ],
  ),
  ...faultsIn(
    `${proxy}/transport/http2/http2-connection.ts`,
    ['packages/proxy/test/http2-endpoint/bytes-of-tunnels.slow.test.ts'],
    [
      [
        'a read of HTTP/2 overwrites what a slow client has yet to take',
        'hold(): void {\n    this.#swapBuffer = true;',
        'hold(): void {',
      ],
    ],
  ),
  ...faultsIn(`${proxy}/transport/lent-writer.ts`, through, [
    [
      'a write overwrites what a slow endpoint has yet to take',
      'this.#unreported === 0 || this.#socket.writableLength === 0',
      'true',
    ],
  ]),
  ...faultsIn(`${proxy}/server/http1/unread-bytes.ts`, through, [
    [
      "what waits of a request is another client's",
      'this.bytes = this.#copyOf(this.bytes.subarray(this.at));\n    this.at = 0;',
      '',
    ],
  ]),
  ...faultsIn(`${proxy}/server/http2/stream-body.ts`, through, [
    ['small pieces of a body are passed on again', '    this.#joinedFrom = this.#joinedTo;\n', ''],
  ]),
  ...faultsIn(`${proxy}/transport/response-reader.ts`, through, [
    [
      'a response that an endpoint ends early passes for a whole one',
      "!this.#inBody || this.#framing !== 'until-close'",
      '!this.#inBody',
    ],
  ]),
  ...faultsIn(`${proxy}/transport/http2/http2-channel.ts`, through, [
    [
      'a response that an endpoint of HTTP/2 resets passes for a whole one',
      'onReset(reset: StreamReset): void {\n',
      'onReset(reset: StreamReset): void {\n    this.#response?.end();\n',
    ],
  ]),
  ...faultsIn(
    `${proxy}/transport/endpoint-connection.ts`,
    ['packages/proxy/test/surplus.slow.test.ts'],
    [
      [
        "what follows a response of a whole window is another's",
        'length >= ReadBuffer.wholeBytes',
        'length === read.length',
      ],
    ],
  ),
  ...faultsIn(`${proxy}/exchange/forwarding.ts`, through, [
    ['a request is sent again without its body', '    this.#sentMoreThanBuffered = true;\n', ''],
  ]),
  ...faultsIn(
    `${proxy}/transport/endpoint-connection.ts`,
    [`${proxy}/transport/connection-pool.test.ts`],
    [
      [
        'a connection that a slow client paused is never read again',
        '    if (this.#isPaused) this.resume(); //',
        '    //',
      ],
    ],
  ),
  ...faultsIn(`${proxy}/server/http2/stream-tunnel.ts`, tunnelled, [
    [
      'what comes of a tunnel whose endpoint is slow is lost',
      'this.#early.push(bytes);',
      'this.#stream.consumed(bytes.length);',
    ],
  ]),
  ...faultsIn(`${proxy}/server/http2/request-stream.ts`, tunnelled, [
    [
      "what waits of a tunnel is another read's",
      'this.#tunnel.onData(Buffer.from(bytes.subarray(from, to)));',
      'this.#tunnel.onData(bytes.subarray(from, to));',
    ],
  ]),
  ...faultsIn(`${proxy}/transport/http2/http2-channel.ts`, tunnelled, [
    ['a tunnel ends with its endpoint half', ' || !this.#stream.localEnded', ''],
  ]),
  ...faultsIn(`${proxy}/transport/endpoint-connection.ts`, tunnelled, [
    ['the half-close of a tunnel is not passed on', 'this.#tunnel.onTunnelEnd();\n      return;', 'return;'],
  ]),
  ...faultsIn(
    `${proxy}/http/http2/sender.ts`,
    [`${proxy}/http/http2/sent-bodies.fuzz.test.ts`],
    [
      [
        'a stream whose window was lowered sends on',
        'const allowed = length === 0 ? 0 : Math.min(length, stream.sendWindow,',
        'const allowed = length === 0 ? 0 : Math.min(length, Math.abs(stream.sendWindow),',
      ],
      [
        'the end of a body is sent with the first part of its last piece',
        'next.endStream && to === next.to',
        'next.endStream',
      ],
      [
        'a stream is forgotten that waits for room in the output',
        '    this.#block(stream);\n    return false;\n  }\n\n  #block',
        '    return false;\n  }\n\n  #block',
      ],
      [
        'a stream whose body has been sent does not go on',
        '    else if (awaitsWindow) this.#events.onWindow(stream);\n',
        '',
      ],
      [
        'pieces that waited are sent out of order',
        'if (stream.queue === undefined && !this.#paused) {',
        'if (!this.#paused) {',
      ],
    ],
  ),
  ...faultsIn(
    `${proxy}/http/http2/stream.ts`,
    [`${proxy}/http/http2/sent-bodies.fuzz.test.ts`],
    [['trailers overtake a body that waits', 'if (this.queue !== undefined) {', 'if (false) {']],
  ),
  ...faultsIn(
    `${proxy}/transport/http2/response-assembly.ts`,
    [`${proxy}/transport/http2/response-assembly.test.ts`],
    [['each read behind a slow one makes a buffer', '    this.#inUse = false;\n', '']],
  ),
  ...faultsIn(
    `${proxy}/transport/reset.ts`,
    [`${proxy}/server/http2/flooded-connection.test.ts`],
    [
      [
        'the system keeps what a client that is gone has not taken',
        'if (socket.writableLength > 0) reset(socket);\n  else ',
        '',
      ],
    ],
  ),
  ...faultsIn(
    `${proxy}/http/http2/sender.ts`,
    [`${proxy}/http/http2/flow-control.test.ts`],
    [
      [
        'a small response overtakes the others where the output is full',
        'if (isAllowed && !this.#isHeld) {',
        'if (isAllowed) {',
      ],
      [
        'a response fills the output without end',
        'sent < frames && !this.#paused && !this.#isHeld) {',
        'sent < frames && !this.#paused) {',
      ],
      ['what a fast client is given at once is copied twice', ' || this.#isSlow())', ' || true)'],
      [
        'a fast client is given any number of bytes at once',
        '(this.output.pendingBytes >= mostBurst * this.#maxOutputBytes || this.#isSlow())',
        'this.#isSlow()',
      ],
      [
        'the first response has all room in the output',
        'if (stream.queue !== undefined) blocked.push(stream);',
        'if (stream.queue !== undefined) blocked.unshift(stream);',
      ],
    ],
  ),
  ...faultsIn(
    `${proxy}/http/http2/stream.ts`,
    [`${proxy}/http/http2/flow-control.test.ts`],
    [
      [
        'a stream that waits for room counts as one that waits for its own window',
        'this.sendWindow > 0 || this.sentTo',
        'this.sentTo',
      ],
      [
        'a window counts as closed before its client can have seen what used it',
        ' || this.sentTo > output.writtenBytes - mostOnItsWayBytes ? waitingStreams',
        ' ? waitingStreams',
      ],
      [
        'a stream whose window stays closed is held by any progress of others',
        'this.sentTo > output.writtenBytes - mostOnItsWayBytes',
        'true',
      ],
    ],
  ),
  ...faultsIn(
    `${proxy}/server/http2/request-stream.ts`,
    [`${proxy}/server/http2/request-stream.test.ts`],
    [
      ['a stream is cut for its turn among others', 'return sharers > 0 && ', 'return false && '],
      [
        'a stream whose window stays closed is never cut while its client takes others',
        'return sharers > 0 && ',
        'return ',
      ],
      ['a hundred streams are held by what one has to take', '>= leastBytes * sharers', '>= leastBytes'],
      [
        'a stream is cut as soon as it has had its turn',
        'Math.max(stream.rivals, this.#hadRivals ? 1 : 0)',
        'stream.rivals',
      ],
    ],
  ),
  ...faultsIn(
    `${proxy}/server/http2/request-stream.ts`,
    ['packages/proxy/test/http2-endpoint/bytes-of-tunnels.slow.test.ts'],
    [
      [
        'a tunnel is cut whose client takes its end slowly',
        'if (!stream.awaitsWindow) return false;',
        'if (this.#tunnel !== undefined || !stream.awaitsWindow) return false;',
      ],
    ],
  ),
  ...faultsIn(
    `${proxy}/server/taken-output.ts`,
    [`${proxy}/server/taken-output.test.ts`],
    [
      ['what has left in records of TLS is not seen', 'handle?._parent ?? handle ?? none', 'handle ?? none'],
      ['what waits in the process counts as taken', 'return bytesWritten - writeQueueSize;', 'return bytesWritten;'],
    ],
  ),
  ...faultsIn(
    `${proxy}/server/http1/connection.ts`,
    [`${proxy}/server/http1/slow-clients.test.ts`],
    [['a response of HTTP/1.1 is cut that leaves slowly', 'this.#taken?.isSlow(', '!this.#taken?.isSlow(']],
  ),
  ...faultsIn(
    `${proxy}/server/http2/request-stream.ts`,
    ['packages/proxy/test/slow-readers.slow.test.ts'],
    [['a response is cut that its client takes slowly', '    else if (this.#takesSome) this.onBlocked();\n', '']],
  ),
];
