import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

/**
 * Calls of a test come from loopback: within this suite a server of node:http is shown another address of theirs. Each test
 * begins with loopback. Returns what sets the address of the calls that follow.
 */
export function showAddresses(): (address: string) => void {
  const loopback = '127.0.0.1';
  let from = loopback;
  const show = (message: unknown) => {
    const { socket } = message as { readonly socket: Socket };
    Object.defineProperty(socket, 'remoteAddress', { configurable: true, value: from });
  };
  before(() => subscribe('http.server.request.start', show));
  after(() => unsubscribe('http.server.request.start', show));
  beforeEach(() => {
    from = loopback;
  });
  return (address) => {
    from = address;
  };
}
