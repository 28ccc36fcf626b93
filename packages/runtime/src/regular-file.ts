import { closeSync, constants, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';

export interface RegularFileOptions {
  /** Larger files are refused, unread. Default 8,388,608. */
  readonly mostBytes?: number;
}

const mostBytesByDefault = 8_388_608;
const pieceBytes = 65_536;
// Between the look at its kind and the opening a FIFO may take its place: without a writer, opening one never ends.
const flags = constants.O_RDONLY | constants.O_NONBLOCK;

/**
 * The text of a file that a setting names. Never waits for a FIFO or device, and reads no more than the bound, whatever stands at the path.
 * @throws Error of the system; or one that names what is there instead of a regular file, or how much too large it is
 */
export function readRegularFileSync(path: string, { mostBytes = mostBytesByDefault }: RegularFileOptions = {}): string {
  check(statSync(path), mostBytes);
  const file = openSync(path, flags);
  try {
    check(fstatSync(file), mostBytes);
    const text = new BoundedText(mostBytes);
    for (let read = -1; read !== 0; ) {
      const piece = Buffer.allocUnsafe(pieceBytes);
      read = readSync(file, piece);
      text.add(piece.subarray(0, read));
    }
    return text.toString();
  } finally {
    closeSync(file);
  }
}

/** As `readRegularFileSync`, for disks that are slow while requests are served. Rejects where that throws. */
export async function readRegularFile(
  path: string,
  { mostBytes = mostBytesByDefault }: RegularFileOptions = {},
): Promise<string> {
  check(await stat(path), mostBytes);
  let file: FileHandle | undefined;
  try {
    file = await open(path, flags);
    check(await file.stat(), mostBytes);
    const text = new BoundedText(mostBytes);
    for (let read = -1; read !== 0; ) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(pieceBytes));
      read = bytesRead;
      text.add(buffer.subarray(0, bytesRead));
    }
    return text.toString();
  } finally {
    await file?.close();
  }
}

/** For a file that another part opens, such as the loader of modules. Rejects where `readRegularFile` does, unread. */
export async function checkRegularFile(path: string): Promise<void> {
  check(await stat(path), mostBytesByDefault);
}

function check(stats: Stats, mostBytes: number): void {
  if (!stats.isFile()) throw new Error(`expected a regular file, and it is ${kindOf(stats)}`);
  if (stats.size > mostBytes) throw tooLarge(mostBytes);
}

/** Files of the kernel give no size, and others may grow as they are read. */
class BoundedText {
  readonly #mostBytes: number;
  readonly #pieces: Buffer[] = [];
  #bytes = 0;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  add(piece: Buffer): void {
    this.#bytes += piece.length;
    if (this.#bytes > this.#mostBytes) throw tooLarge(this.#mostBytes);
    this.#pieces.push(piece);
  }

  toString(): string {
    return Buffer.concat(this.#pieces).toString('utf8');
  }
}

function tooLarge(mostBytes: number): Error {
  return new Error(`it is larger than ${mostBytes} bytes`);
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'a directory';
  if (stats.isFIFO()) return 'a FIFO';
  if (stats.isSocket()) return 'a socket';
  return 'a device';
}
