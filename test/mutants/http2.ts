import { faultsIn, type Mutant } from './mutant.ts';

const http2 = 'packages/proxy/src/http/http2';
const transport = 'packages/proxy/src/transport';

/** HPACK, heads, flow control, streams, connections to endpoints. */
export const http2Mutants: readonly Mutant[] = [
  ...faultsIn(
    `${http2}/hpack/decoder.ts`,
    [`${http2}/hpack/hpack.test.ts`],
    [
      ['an encoder may use a larger table than was announced', ' || integer > this.#limitBytes) return', ') return'],
      ['an encoder need not follow a smaller table', 'if (this.#updateDue) return false;', ''],
      ['an entry larger than the table stays in it', 'if (size > this.#maxTableBytes) return;', ''],
    ],
  ),
  ...faultsIn(
    `${http2}/hpack/encoder.ts`,
    [`${http2}/hpack/hpack.test.ts`, `${http2}/client-session.test.ts`],
    [
      ['cookies enter the table', 'slot.repeated && !slot.secret && ', 'slot.repeated && '],
      [
        'a field of a step is a pseudo-header field',
        'if (!mayBePseudo && given.charCodeAt(0) === COLON) return -1;',
        '',
      ],
    ],
  ),
  ...faultsIn(
    `${http2}/session.ts`,
    [`${http2}/connection.test.ts`],
    [
      [
        'of a table limit that is lowered and raised in one frame the lower one is not announced',
        'if (lowest < peer.headerTableBytes) sender.encoder.limitTable(lowest);',
        '',
      ],
    ],
  ),
  ...faultsIn(
    `${http2}/message-head.ts`,
    [`${http2}/requests.test.ts`, 'packages/proxy/src/exchange/heads.test.ts'],
    [
      ['a request has two lengths', 'if (contentLength !== -1) return parseErrors.contentLengthDuplicate;', ''],
      ['a request has two Hosts', 'if (host !== undefined) return parseErrors.hostDuplicate;', ''],
      [
        'Host and :authority differ',
        'if (host !== undefined && host !== authority && host.toLowerCase() !== authority.toLowerCase())',
        'if (false)',
      ],
      ['pseudo-header fields stand behind others', 'fields.length > 0 || host !== undefined || ', ''],
      ['a length of a 204 reaches the client', '(this.status < 200 || this.status === 204)', 'this.status < 200'],
    ],
  ),
  ...faultsIn(
    `${http2}/field-names.ts`,
    [`${http2}/requests.test.ts`],
    [['Transfer-Encoding is taken over HTTP/2', "  'transfer-encoding': Rule.connectionSpecific,\n", '']],
  ),
  ...faultsIn(
    `${http2}/sender.ts`,
    [`${http2}/flow-control.test.ts`],
    [
      ["a stream's window does not shrink", 'stream.sendWindow -= length;', ''],
      ['bodies go on where much output waits', 'if (endStream || !this.#isFull) return true;', 'return true;'],
    ],
  ),
  ...faultsIn(
    `${http2}/server-session.ts`,
    [`${http2}/abuse.test.ts`],
    [
      ['resets of streams that are held by their windows cost nothing', '&& !isHeld)', ')'],
      [
        'a page that is left over a slow connection counts as a flood',
        ' && (stream.sendWindow <= 0 || this.sender.window <= 0)',
        '',
      ],
    ],
  ),
  ...faultsIn(
    `${http2}/sender.ts`,
    [`${http2}/connection-errors.test.ts`],
    [["a connection's window grows without end", 'if (this.window > most31Bits) return false;', '']],
  ),
  ...faultsIn(
    `${http2}/frame-output.ts`,
    [`${http2}/flow-control.test.ts`],
    [
      ['what moves into a large buffer is lost', 'before.copy(this.#buffer, 0, 0, this.#at);', ''],
      ['chunks are not taken one by one', 'if (this.#chunks.length >= mostChunks) {', 'if (false) {'],
    ],
  ),
  ...faultsIn(
    `${http2}/receive-window.ts`,
    [`${http2}/received-flow-control.test.ts`],
    [['a peer may exceed its window', 'return this.available >= 0;', 'return true;']],
  ),
  ...faultsIn(
    `${http2}/session-core.ts`,
    [`${http2}/connection-errors.test.ts`],
    [
      [
        'a body is shorter than its length',
        'if (stream.expectedBytes !== -1 && stream.receivedBytes !== stream.expectedBytes) {',
        'if (false) {',
      ],
    ],
  ),
  ...faultsIn(
    `${http2}/stream-table.ts`,
    [`${http2}/stream-table.test.ts`],
    [
      [
        'a stream is not found after another one ended',
        'if (((next - required) & mask) < ((next - gap) & mask)) continue;',
        '',
      ],
    ],
  ),
  ...faultsIn(
    `${http2}/client-session.ts`,
    [`${http2}/client-session.test.ts`],
    [["GOAWAY's last stream counts as unprocessed", 'if (stream.id > lastStream)', 'if (stream.id >= lastStream)']],
  ),
  ...faultsIn(
    `${transport}/http2/http2-connections.ts`,
    [`${transport}/http2/http2-faults.test.ts`],
    [['a request is sent twice where one before it failed', 'of this.#waiting) {', 'of [...this.#waiting]) {']],
  ),
  ...faultsIn(
    `${transport}/deadline-sweep.ts`,
    [`${transport}/deadline-sweep.test.ts`],
    [
      ['a deadline is applied to what has ended', 'if (timed.sweepPlace === -1 || timed', 'if (timed'],
      ['another deadline than the removed one is forgotten', 'last.sweepPlace = place;', ''],
    ],
  ),
  ...faultsIn(
    'packages/proxy/src/exchange/upstream-head.ts',
    ['packages/proxy/src/exchange/heads.test.ts'],
    [['the endpoint does not learn that trailers are taken', "if (wantsTrailers) flat.push('te', 'trailers');", '']],
  ),
  ...faultsIn(
    `${http2}/sender.ts`,
    [`${http2}/flow-control.test.ts`],
    [["what waits for a window is not the stream's own", '    keepLast(stream.queue);\n', '']],
  ),
  ...faultsIn(
    `${transport}/read-buffer.ts`,
    [`${transport}/read-buffer.test.ts`],
    [
      [
        'a receiver may keep the buffer of all connections',
        'if (copies !== undefined || !isShared(read)) return read;',
        'return read;',
      ],
      ['bytes that are in use are read over', '    this.#own = undefined;\n', ''],
      ['bytes of the shared buffer may stay in use', 'if (isShared(buffer)) throw', 'if (false) throw'],
    ],
  ),
  ...faultsIn(
    `${transport}/turn-end.ts`,
    [`${transport}/turn-end.test.ts`],
    [
      [
        'responses leave before requests',
        "(to === 'endpoint' ? toEndpoints : toClients)",
        "(to === 'endpoint' ? toClients : toEndpoints)",
      ],
    ],
  ),
  ...faultsIn(
    'packages/proxy/src/server/http1/response-writer.ts',
    ['packages/proxy/src/server/http1/response-writer.test.ts'],
    [
      [
        'the last response of a connection wakes its client alone',
        'if (complete) this.#writeLater(text);',
        'if (complete && this.persistent) this.#writeLater(text);',
      ],
      ['a connection stays open behind its last response', 'if (this.#isLast) this.#connection.onLastWritten();', ''],
      [
        'a last response that cannot be written keeps its connection',
        `    try {
      this.flush();
    } finally {
      if (this.#isLast)`,
        `    {
      this.flush();
      if (this.#isLast)`,
      ],
      [
        'a large piece overtakes the responses before',
        '    this.flush();\n    this.#willWrite();\n    if (!this.#lentWriter',
        '    this.#willWrite();\n    if (!this.#lentWriter',
      ],
    ],
  ),
];
