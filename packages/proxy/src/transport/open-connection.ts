import { connect, isIP, type LookupFunction, Socket, type TcpNetConnectOpts } from 'node:net';
import { connect as connectSecurely } from 'node:tls';
import { guard } from '@swarmgate/runtime';
import { endpointLookup } from '../endpoints/endpoint-lookup.ts';
import { type OwnPorts, ownPorts } from '../endpoints/own-ports.ts';
import type { Endpoint } from '../model/endpoint.ts';

export interface OpenOptions {
  /** Static read buffers (`net.Socket`'s `onread`). Default: a stream. */
  readonly onread?: TcpNetConnectOpts['onread'];
  /** Default: TLS where the endpoint requires it. `false`: a bare TCP connection, to see whether the port accepts. */
  readonly secure?: boolean;
  /** Protocols offered by ALPN. Default: none. */
  readonly alpn?: readonly string[];
  /** Default: those of this process. */
  readonly ownPorts?: OwnPorts;
  /** Resolves a host name. Default: the hosts file, DNS, then the system's resolver. */
  readonly lookup?: LookupFunction;
}

const lookup = endpointLookup();

/**
 * TCP keep-alive: a quiet connection is probed after 60 s, and ends when 6 probes, 5 s apart, have no response. Without that, the
 * client of a stream of events, a tunnel or a relay would wait for a host without power until its timeout: an hour, or a day. Probes
 * go on for half a minute, so that a short fault of the network ends nothing.
 */
export const quietProbes = [60_000, 5_000, 6] as const;

/**
 * Opens a connection to an endpoint: the one way for requests, tunnels, relays, health checks and liveness connects, so
 * that a check cannot pass where a request would fail. The TLS server name is the endpoint's host where that is a DNS
 * name, and none for an address (RFC 6066, section 3). Certificates are not verified: services in a Swarm have no names
 * that a public authority signs.
 *
 * A connection that would end at a port of the proxy itself fails before a byte is sent, by whatever address or name.
 */
export function openConnection(
  endpoint: Pick<Endpoint, 'host' | 'port' | 'secure'>,
  options: OpenOptions = {},
): Socket {
  const { host, port } = endpoint;
  const { onread, secure = endpoint.secure, alpn, ownPorts: own = ownPorts, lookup: resolve = lookup } = options;
  if (own.leadsHere(host, port)) return failed(leadsHere(host, port));
  const target = {
    host,
    port,
    noDelay: true,
    // The other side's end is passed on by the exchange, the tunnel or the relay, each by its own rule.
    allowHalfOpen: true,
    ...(onread === undefined ? {} : { onread }),
    lookup: own.has(port) ? lookupElsewhere(own, port, resolve) : resolve,
  };
  const socket = secure
    ? connectSecurely({
        ...target,
        rejectUnauthorized: false,
        ...(isIP(host) === 0 ? { servername: host } : {}),
        ...(alpn === undefined ? {} : { ALPNProtocols: [...alpn] }),
      })
    : connect(target);
  socket.setKeepAlive(true, ...quietProbes);
  // The system may have more own addresses than its interfaces show; a connection to one has it at both ends.
  if (own.has(port))
    socket.once(
      'connect',
      guard({ onFault: (error) => socket.destroy(error as Error) }, () => {
        const { remoteAddress = '', localAddress } = socket;
        const isHere = remoteAddress === localAddress && own.isListening(port);
        if (isHere || own.leadsHere(remoteAddress, port)) socket.destroy(leadsHere(host, port));
      }),
    );
  return socket;
}

/** The event after which bytes can be sent. */
export function openedEvent(secure: boolean): 'secureConnect' | 'connect' {
  return secure ? 'secureConnect' : 'connect';
}

/** Resolves a name, unless one of its addresses leads to the proxy itself. */
function lookupElsewhere(own: OwnPorts, port: number, resolve: LookupFunction): LookupFunction {
  return (host, options, callback) =>
    resolve(host, options, (error, found, family) => {
      const addresses = typeof found === 'string' ? [found] : (found ?? []).map(({ address }) => address);
      if (error === null && addresses.some((address) => own.leadsHere(address, port)))
        callback(leadsHere(host, port), found, family);
      else callback(error, found, family);
    });
}

function leadsHere(host: string, port: number): NodeJS.ErrnoException {
  return Object.assign(new Error(`${host}:${port} is a port of the proxy itself or of its registry`), {
    code: 'own-port',
  });
}

/** A socket that fails as one does whose endpoint refuses. */
function failed(error: Error): Socket {
  return new Socket().destroy(error);
}
