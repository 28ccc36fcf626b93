import type { ClientRequest } from 'node:http';
import type { HeaderList } from '../../model/header-list.ts';

/** Sets the headers of a request that has not been sent yet: in the order and spelling they came in. */
export function setUpstreamHeaders(request: ClientRequest, headers: HeaderList, hop: readonly string[]): void {
  for (const name of request.getHeaderNames()) request.removeHeader(name);
  const { flat } = headers;
  for (let at = 0; at < flat.length; at += 2) request.appendHeader(flat[at] as string, flat[at + 1] as string);
  for (let at = 0; at < hop.length; at += 2) request.setHeader(hop[at] as string, hop[at + 1] as string);
}
