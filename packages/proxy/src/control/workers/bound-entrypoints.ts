import type { BoundSocket } from 'node:net';
import { type EntrypointSetting, UsageError } from '@swarmgate/runtime';
import { ownPorts } from '../../endpoints/own-ports.ts';
import { bindPort, canBind, namedTwice } from '../../server/bound-port.ts';
import type { EntrypointView } from '../../server/entrypoint-view.ts';
import type { EntrypointToOpen } from '../../server/entrypoints.ts';

/**
 * The sockets of the entrypoints, bound and held by the control process, which never accepts on them: workers do, all on
 * the same one. So a port stays open whatever becomes of its workers; clients that connect meanwhile wait in its queue.
 */
export class BoundEntrypoints {
  readonly #sockets: readonly Bound[];
  readonly #ownPorts: readonly (() => void)[];

  private constructor(sockets: readonly Bound[]) {
    this.#sockets = sockets;
    // No health check of the control process may lead there either.
    this.#ownPorts = sockets.map(({ socket }) => ownPorts.add(socket.address().port));
  }

  /** @throws EntrypointError naming the port; none stays bound then. UsageError on a Node that cannot do it. */
  static bind(settings: readonly EntrypointSetting[], host: string | undefined): BoundEntrypoints {
    if (!canBind())
      throw new UsageError('workers-unsupported', 'workers need Node 26.4 or newer; WORKERS=0 serves in one process');
    const sockets: Bound[] = [];
    try {
      for (const setting of settings) {
        if (setting.port !== 0 && sockets.some((each) => each.setting.port === setting.port))
          throw namedTwice(setting.port);
        sockets.push({ socket: bindPort(setting.port, host), setting });
      }
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

  /** As they are shown until a worker serves them. */
  views(): readonly EntrypointView[] {
    return this.inherited().map(({ port, secure }) => ({ port, secure, state: 'closed', reason: notServedYet }));
  }

  close(): void {
    for (const release of this.#ownPorts) release();
    for (const { socket } of this.#sockets) socket[Symbol.dispose]();
  }
}

const notServedYet = 'it opens with the first routes';

interface Bound {
  readonly socket: BoundSocket;
  readonly setting: EntrypointSetting;
}

/** Behind standard input, output, error and the channel. */
export const firstInheritedFd = 4;
