/** What the system lacks to open one more socket: descriptors of the process or the machine, or memory for buffers. */
const shortageCodes = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']);

/** The connection failed for a lack on this side, so it is no failure of the endpoint. */
export function isLocalShortage(error: Error | undefined): boolean {
  return shortageCodes.has((error as NodeJS.ErrnoException | undefined)?.code ?? '');
}
