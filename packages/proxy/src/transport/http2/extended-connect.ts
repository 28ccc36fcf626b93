import { createHash } from 'node:crypto';
import { sentLines } from '../../http/head-text.ts';
import type { Http2RequestHead } from '../../http/http2/http1-heads.ts';
import type { ResponseHead } from '../../http/http2/message-head.ts';
import { UpstreamHead } from '../../http/response-head.ts';
import { headText, type OutgoingRequest } from '../outgoing-request.ts';
import type { ResponseConsumer } from '../response-reader.ts';

/** RFC 6455, section 1.3. */
const acceptSuffix = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/**
 * The extended CONNECT of a request that offers WebSocket (RFC 8441, section 5). `undefined` for other protocols, which
 * have no form in HTTP/2 that a service is known to take.
 */
export function extendedConnect(head: Http2RequestHead, upgrade: string): Http2RequestHead | undefined {
  if (upgrade.toLowerCase() !== 'websocket') return undefined;
  // Its proof is the stream itself (RFC 8441, section 5.1).
  const flat: string[] = [];
  for (let at = 0; at < head.flat.length; at += 2)
    if (head.flat[at] !== 'sec-websocket-key') flat.push(head.flat[at] as string, head.flat[at + 1] as string);
  return { line: { ...head.line, method: 'CONNECT', protocol: 'websocket' }, flat };
}

/** Reports a success to an extended CONNECT as the 101 that HTTP/1.1 has for it, with the proof that the client expects. */
export function acceptedUpgrade(head: ResponseHead, request: OutgoingRequest, receiver: ResponseConsumer): void {
  const key = /^sec-websocket-key:[ \t]*(\S+)/im.exec(headText(request))?.[1] ?? '';
  const accept = createHash('sha1').update(`${key}${acceptSuffix}`).digest('base64');
  const text = `HTTP/1.1 101 \r\n${sentLines(head.fields)}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
  const bytes = Buffer.from(text, 'latin1');
  const parsed = new UpstreamHead();
  parsed.parse(bytes, 0, bytes.length);
  receiver.onUpgrade(parsed, bytes, bytes.length, bytes.length);
}
