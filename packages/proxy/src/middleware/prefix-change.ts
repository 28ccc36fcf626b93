/** What a path rewrite did to the front of a path. */
export interface PrefixChange {
  /** `/api` or empty: without a slash at its end. */
  readonly client: string;
  /** The same place in the endpoint's paths. */
  readonly endpoint: string;
}

/** Compares a request's path before and after its rewrite: what both end with, at the border of a segment, stays. */
export function prefixChange(clientPath: string, endpointPath: string): PrefixChange {
  let common = 0;
  const most = Math.min(clientPath.length, endpointPath.length);
  while (common < most && clientPath.at(-1 - common) === endpointPath.at(-1 - common)) common++;
  const ending = clientPath.slice(clientPath.length - common);
  const border = ending.indexOf('/');
  const kept = border === -1 ? 0 : ending.length - border;
  return {
    client: withoutSlash(clientPath.slice(0, clientPath.length - kept)),
    endpoint: withoutSlash(endpointPath.slice(0, endpointPath.length - kept)),
  };
}

/** A path of the endpoint's as clients have to request it. Paths that begin as the client's do already stay. */
export function pathForClient(path: string, { client, endpoint }: PrefixChange): string {
  if (!isBelow(path, endpoint)) return path;
  if (isBelow(client, endpoint) && isBelow(path, client)) return path;
  const mapped = client + path.slice(endpoint.length);
  // Without its prefix it would name another host.
  if (/^\/[/\\]/.test(mapped)) return path;
  return mapped === '' ? '/' : mapped;
}

function isBelow(path: string, prefix: string): boolean {
  return path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === '/');
}

function withoutSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}
