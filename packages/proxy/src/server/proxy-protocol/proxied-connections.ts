import type { Socket } from 'node:net';
import { guard, type Logger, plainAddress } from '@swarmgate/runtime';
import type { TrustedProxies } from '../../exchange/client-connection.ts';
import { readProxyHeader } from './proxy-header.ts';

/** Why a connection to such a port is not served. */
export type ProxyHeaderError = 'proxy-untrusted' | 'proxy-header-invalid' | 'proxy-header-late';

export interface ProxiedConnectionsOptions {
  /** Ports where every connection begins with a PROXY header (`PROXY_PROTOCOL_PORTS`). */
  readonly isOn: (port: number) => boolean;
  /** `TRUSTED_PROXIES`: only these peers may send a PROXY header, so only these are served on such ports. */
  readonly trusted: TrustedProxies;
  /** A header may take so long to arrive. */
  readonly waitMs: number;
  readonly logger: Logger;
  readonly onRefused?: (cause: ProxyHeaderError) => void;
}

/** What a connection turned out to be, once its header has been read. */
export interface ProxiedConnection {
  /** The client's address; `undefined`: the connection's own. */
  readonly source: string | undefined;
  /** What came behind the header already: the client's first bytes. */
  readonly firstBytes: Buffer;
}

/** Reads PROXY headers on the ports that have them. */
export class ProxiedConnections {
  readonly #options: ProxiedConnectionsOptions;

  constructor(options: ProxiedConnectionsOptions) {
    this.#options = options;
  }

  isOn(port: number): boolean {
    return this.#options.isOn(port);
  }

  /** `undefined`: the connection was refused, and is closed. Rejects with a fault; the connection is the caller's to close. */
  async read(socket: Socket): Promise<ProxiedConnection | undefined> {
    const { trusted, logger, onRefused } = this.#options;
    const peer = plainAddress(socket.remoteAddress ?? '');
    const found = trusted(peer) ? await this.#header(socket) : rejected('proxy-untrusted', 'TRUSTED_PROXIES lacks it');
    if (!('cause' in found)) return found;
    if (!socket.destroyed) {
      onRefused?.(found.cause);
      logger.warn({ peer, reason: found.reason }, 'a connection to a port with PROXY protocol was refused');
    }
    socket.destroy();
    return undefined;
  }

  #header(socket: Socket): Promise<ProxiedConnection | ParseError> {
    return new Promise((resolve, reject) => {
      let bytes: Buffer = Buffer.alloc(0);
      const leave = () => {
        clearTimeout(timer);
        socket.off('readable', onReadable);
        socket.off('end', onEnd);
        socket.off('close', onEnd);
      };
      const owner = {
        onFault(error: unknown) {
          leave();
          reject(error);
        },
      };
      const settle = (result: ProxiedConnection | ParseError) => {
        leave();
        // The stream takes note of the removed listener only in the next turn of the event loop.
        setImmediate(() => resolve(result));
      };
      // Not by 'data': stopping it pauses the stream, and the next reader would have to resume it.
      const onReadable = guard(owner, () => {
        const piece: Buffer | null = socket.read();
        if (piece === null) return;
        bytes = bytes.length === 0 ? piece : Buffer.concat([bytes, piece]);
        const header = readProxyHeader(bytes);
        if (header.kind === 'invalid') settle(rejected('proxy-header-invalid', header.reason));
        else if (header.kind === 'header')
          settle({ source: header.source, firstBytes: bytes.subarray(header.lengthBytes) });
      });
      const onEnd = guard(owner, () => settle(rejected('proxy-header-invalid', 'it ended before its PROXY header')));
      const late = guard(owner, () => settle(rejected('proxy-header-late', 'its PROXY header did not come in time')));
      const timer = setTimeout(late, this.#options.waitMs);
      socket.on('readable', onReadable);
      socket.once('end', onEnd);
      socket.once('close', onEnd);
    });
  }
}

interface ParseError {
  readonly cause: ProxyHeaderError;
  readonly reason: string;
}

function rejected(cause: ProxyHeaderError, reason: string): ParseError {
  return { cause, reason };
}

/**
 * Replaces the peer address of a connection by its client's, so that limits, allow lists, headers and logs all use the
 * client's address.
 */
export function presentAs(socket: Socket, source: string): void {
  Object.defineProperty(socket, 'remoteAddress', { value: source, configurable: true });
}
