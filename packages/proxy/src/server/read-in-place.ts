import { Socket } from 'node:net';

/** As much as libuv offers Node for one read. */
const readBytes = 65_536;
/** One for all sockets: it stays in the processor's cache. */
const shared = Buffer.allocUnsafeSlow(readBytes);
/** Sockets with a buffer of their own at a time: 4 MB. */
const mostOwn = 64;
const free: Buffer[] = [];
let owners = 0;

/**
 * Takes what was read. `bytes` hold only during the call, but those of a buffer of the socket's own hold until the next read.
 * @returns `true`: the socket is read into a buffer of its own from now on, if there is one; else into that of all
 */
export type ReadListener = (this: Socket, bytes: Buffer) => boolean;

interface ReadingHandle {
  useUserBuffer?(buffer: Buffer): void;
}

type Slots = Record<symbol, unknown>;

/**
 * Where node:net keeps what `onread` of `net.connect` sets, which sockets that a server accepts cannot be given: in each
 * socket, `undefined` where this Node has another place for it.
 */
const places = placesOf(new Socket());

/**
 * Reads a client's socket into one buffer of all, as `onread` of `net.connect` does. Without it Node makes an ArrayBuffer of up to 64 KB for
 * each read, and V8 collects the whole heap for their sake when clients send fast.
 * @returns `false` where this Node, or this socket, can only be read by `data`
 */
export function readInPlace(socket: Socket, listener: ReadListener): boolean {
  if (places === undefined) return false;
  const slots = socket as unknown as Slots;
  if (slots[places.buffer] === undefined) return false;
  if (slots[places.buffer] === null) {
    const { _handle: handle } = socket as unknown as { readonly _handle?: ReadingHandle | null };
    // What has been read before would come behind what is read in place.
    if (typeof handle?.useUserBuffer !== 'function' || socket.readableLength > 0) return false;
    handle.useUserBuffer(shared);
    slots[places.buffer] = shared;
    slots[places.onRead] = onRead;
    slots[places.nextBuffer] = nextBuffer;
  }
  slots[listenerPlace] = listener;
  return true;
}

/** Bytes of the buffer of all sockets, which hold only during the call that gives them. */
export function isShared(bytes: Buffer): boolean {
  return bytes.buffer === shared.buffer;
}

/** Pauses a socket behind a part of what was read from it. Returns the rest, which holds until the socket is read on. */
export function pausedBehind(socket: Socket, bytes: Buffer, from: number): Buffer {
  socket.pause();
  const rest = bytes.subarray(from);
  return isShared(bytes) ? Buffer.from(rest) : rest;
}

/** The socket has closed: a buffer of its own is one of another socket's. */
export function endReadInPlace(socket: Socket): void {
  const slots = socket as unknown as Slots;
  if (places === undefined || !Buffer.isBuffer(slots[places.buffer]) || slots[places.buffer] === shared) return;
  slots[places.buffer] = shared;
  owners -= 1;
}

const listenerPlace = Symbol('listener');

/** Set by each read for the call of `nextBuffer` behind it. */
let next: Buffer | undefined;
const nextBuffer = () => next;

function onRead(this: Socket, length: number, bytes: Buffer): boolean {
  next = undefined;
  const slots = this as unknown as Slots;
  const listener = slots[listenerPlace] as ReadListener;
  const wantsOwn = listener.call(this, bytes.subarray(0, length));
  if (this.destroyed) return true;
  if (wantsOwn && bytes === shared && owners < mostOwn) {
    owners += 1;
    next = free.pop() ?? Buffer.allocUnsafeSlow(readBytes);
  } else if (!wantsOwn && bytes !== shared) {
    owners -= 1;
    free.push(bytes);
    next = shared;
  }
  return true;
}

interface Places {
  readonly buffer: symbol;
  readonly onRead: symbol;
  readonly nextBuffer: symbol;
}

function placesOf(socket: Socket): Places | undefined {
  const found = (name: string) => Object.getOwnPropertySymbols(socket).find(({ description }) => description === name);
  const [buffer, onRead, nextBuffer] = [found('kBuffer'), found('kBufferCb'), found('kBufferGen')];
  if (buffer === undefined || onRead === undefined || nextBuffer === undefined) return undefined;
  return { buffer, onRead, nextBuffer };
}
