import * as net from 'node:net';
import { type EntrypointSetting, UsageError } from '@swarmgate/runtime';
import { type EntrypointToOpen, entrypointError } from '../entrypoint/entrypoints.ts';

/**
 * The sockets of the entrypoints, bound and held by the control process, which never accepts on them: workers do, all on
 * the same one. So a port stays open whatever becomes of its workers; clients that connect meanwhile wait in its queue.
 */
export class BoundEntrypoints {
  readonly #sockets: readonly Bound[];

  private constructor(sockets: readonly Bound[]) {
    this.#sockets = sockets;
  }

  /** @throws EntrypointError naming the port; none stays bound then. UsageError on a Node that cannot do it. */
  static bind(settings: readonly EntrypointSetting[], host: string | undefined): BoundEntrypoints {
    // Not imported by name, so that an older Node can still serve in one process.
    if (!('BoundSocket' in net))
      throw new UsageError('workers-unsupported', 'workers need Node 26.4 or newer; WORKERS=0 serves in one process');
    const sockets: Bound[] = [];
    try {
      for (const setting of settings) sockets.push({ socket: bind(setting.port, host), setting });
    } catch (error) {
      for (const { socket } of sockets) socket.close();
      throw error;
    }
    return new BoundEntrypoints(sockets);
  }

  /** For `stdio` of a process that is to inherit them, from its descriptor `firstInheritedFd` on. */
  get fds(): readonly number[] {
    return this.#sockets.map(({ socket }) => socket.fd());
  }

  /** What such a process opens. */
  inherited(): readonly EntrypointToOpen[] {
    return this.#sockets.map(({ socket, setting }, at) => ({
      port: socket.address().port,
      secure: setting.secure,
      fd: firstInheritedFd + at,
    }));
  }

  close(): void {
    for (const { socket } of this.#sockets) socket[Symbol.dispose]();
  }
}

interface Bound {
  readonly socket: net.BoundSocket;
  readonly setting: EntrypointSetting;
}

/** Behind standard input, output, error and the channel. */
export const firstInheritedFd = 4;

function bind(port: number, host: string | undefined): net.BoundSocket {
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

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
