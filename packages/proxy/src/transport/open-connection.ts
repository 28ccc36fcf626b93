import { connect, isIP, type Socket, type TcpNetConnectOpts } from 'node:net';
import { connect as connectSecurely } from 'node:tls';
import type { Endpoint } from '../model/endpoint.ts';

export interface OpenOptions {
  /** Static read buffers (`net.Socket`'s `onread`). Default: a stream. */
  readonly onread?: TcpNetConnectOpts['onread'];
  /** Default: TLS where the endpoint asks for it. `false`: a bare TCP connection, to see whether the port accepts. */
  readonly secure?: boolean;
  /** Protocols offered by ALPN. Default: none. */
  readonly alpn?: readonly string[];
}

/**
 * Opens a connection to an endpoint: the one way for requests, tunnels, relays, health checks and liveness connects, so
 * that a check cannot pass where a request would fail. The TLS server name is the endpoint's host where that is a DNS
 * name, and none for an address (RFC 6066, section 3). Certificates are not verified: services in a Swarm have no names
 * that a public authority signs.
 */
export function openConnection(
  endpoint: Pick<Endpoint, 'host' | 'port' | 'secure'>,
  options: OpenOptions = {},
): Socket {
  const { host, port } = endpoint;
  const { onread, secure = endpoint.secure, alpn } = options;
  // The other side's end is passed on by the exchange, the tunnel or the relay, each by its own rule.
  const target = { host, port, noDelay: true, allowHalfOpen: true, ...(onread === undefined ? {} : { onread }) };
  if (!secure) return connect(target);
  return connectSecurely({
    ...target,
    rejectUnauthorized: false,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(alpn === undefined ? {} : { ALPNProtocols: [...alpn] }),
  });
}

/** Event that says that bytes can be sent. */
export function openedEvent(secure: boolean): 'secureConnect' | 'connect' {
  return secure ? 'secureConnect' : 'connect';
}
