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
        '      stream.awaitsWindow = false;\n      this.#events.onWindow(stream);',
        '      stream.awaitsWindow = false;',
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
    `${proxy}/server/http2/request-stream.ts`,
    ['packages/proxy/test/slow-readers.slow.test.ts'],
    [['a response is cut that its client takes slowly', '    else if (this.#takesSome) this.onBlocked();\n', '']],
  ),
];
