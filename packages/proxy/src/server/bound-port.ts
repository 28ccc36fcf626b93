import * as net from 'node:net';
import { SwarmgateError } from '@swarmgate/runtime';

/** A port that clients should connect to cannot be opened: the process cannot do its job. */
export class EntrypointError extends SwarmgateError {
  declare readonly code: 'entrypoint-in-use' | 'entrypoint-denied' | 'entrypoint-failed';
}

/**
 * Binds a port without listening on it: no other process can bind it, and clients cannot connect yet.
 * @param host Default: all addresses, both families.
 * @throws EntrypointError naming the port
 */
export function bindPort(port: number, host: string | undefined): net.BoundSocket {
  try {
    if (host !== undefined) return new net.BoundSocket({ host, port });
    try {
      return new net.BoundSocket({ host: '::', port });
    } catch (error) {
      // A machine without IPv6.
      if (!['EAFNOSUPPORT', 'EADDRNOTAVAIL'].includes(codeOf(error))) throw error;
      return new net.BoundSocket({ host: '0.0.0.0', port });
    }
  } catch (error) {
    const failure: NodeJS.ErrnoException = error instanceof Error ? error : new Error(String(error));
    throw entrypointError(failure, port, host);
  }
}

/** Whether this Node can take a port before it listens. Not imported by name, so that an older one can serve without. */
export function canBind(): boolean {
  return 'BoundSocket' in net;
}

/** The system's error for a port, as an error with the port and a suggestion. */
export function entrypointError(error: NodeJS.ErrnoException, port: number, host: string | undefined): EntrypointError {
  const where = host === undefined ? `port ${port}` : `${host}:${port}`;
  if (error.code === 'EADDRINUSE') {
    const message = `entrypoint ${where} is in use by another process; free it or change DEFAULT_PORTS or BIND_PORTS`;
    return new EntrypointError('entrypoint-in-use', message, { cause: error });
  }
  if (error.code === 'EACCES') {
    const message = `entrypoint ${where} may not be opened by this user; choose a port above 1023 or grant the right`;
    return new EntrypointError('entrypoint-denied', message, { cause: error });
  }
  return new EntrypointError('entrypoint-failed', `entrypoint ${where}: ${error.message}`, { cause: error });
}

export function namedTwice(port: number): EntrypointError {
  return new EntrypointError('entrypoint-in-use', `entrypoint ${port} stands twice in DEFAULT_PORTS and BIND_PORTS`);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
