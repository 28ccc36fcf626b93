/** A whole read, framed as a chunk. */
export const spareBytes = 65_552;
/** Those that wait for their next use, of a process: 2 MB. */
const mostSpare = 32;
const spare: Buffer[] = [];

/**
 * A buffer of `spareBytes` with any content. Without it each read of a client that sends fast would make an ArrayBuffer, which V8 counts: it
 * collects the whole heap for their sake.
 */
export function takeSpare(): Buffer {
  return spare.pop() ?? Buffer.allocUnsafeSlow(spareBytes);
}

/** @param buffer to be given once, when nothing refers to its bytes. One that is not given, or of another size, is collected. */
export function giveSpare(buffer: Buffer): void {
  if (buffer.length === spareBytes && spare.length < mostSpare) spare.push(buffer);
}
