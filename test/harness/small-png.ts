import { crc32, deflateSync, inflateSync } from 'node:zlib';

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const mostColours = 256;

/**
 * A picture of a page with a palette of 256 colours (PNG, ISO/IEC 15948): the most frequent ones, and for every other the nearest
 * of them, because shades of letters are close to each other.
 * @param png 8 bits, RGB or RGBA, not interlaced, as Chromium makes them; transparency is lost
 */
export function smallPng(png: Buffer): Buffer {
  const { width, height, channels, pixels } = decode(png);
  const colours = new Uint32Array(width * height);
  const counts = new Map<number, number>();
  for (let at = 0; at < colours.length; at += 1) {
    const from = at * channels;
    const colour =
      ((pixels[from] as number) << 16) | ((pixels[from + 1] as number) << 8) | (pixels[from + 2] as number);
    colours[at] = colour;
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const palette = [...counts]
    .toSorted(([, one], [, other]) => other - one)
    .slice(0, mostColours)
    .map(([colour]) => colour);
  const indexOf = new Map([...counts.keys()].map((colour) => [colour, nearest(palette, colour)]));
  const indexes = Buffer.from(Uint8Array.from(colours, (colour) => indexOf.get(colour) ?? 0));
  return encode(width, height, palette, indexes);
}

function nearest(palette: readonly number[], colour: number): number {
  const distance = (other: number) =>
    [16, 8, 0].reduce((sum, shift) => sum + (((other >> shift) & 0xff) - ((colour >> shift) & 0xff)) ** 2, 0);
  let best = 0;
  for (let at = 1; at < palette.length; at += 1)
    if (distance(palette[at] as number) < distance(palette[best] as number)) best = at;
  return best;
}

interface Decoded {
  readonly width: number;
  readonly height: number;
  readonly channels: 3 | 4;
  readonly pixels: Buffer;
}

function decode(png: Buffer): Decoded {
  const data: Buffer[] = [];
  let [width, height, channels]: [number, number, 3 | 4] = [0, 0, 4];
  for (let at = signature.length; at < png.length; ) {
    const length = png.readUInt32BE(at);
    const name = png.toString('latin1', at + 4, at + 8);
    const body = png.subarray(at + 8, at + 8 + length);
    if (name === 'IHDR') {
      [width, height] = [body.readUInt32BE(0), body.readUInt32BE(4)];
      if (body[8] !== 8 || (body[9] !== 2 && body[9] !== 6) || body[12] !== 0)
        throw new TypeError('expected a PNG of 8 bits, RGB or RGBA, not interlaced');
      channels = body[9] === 2 ? 3 : 4;
    }
    if (name === 'IDAT') data.push(body);
    at += length + 12;
  }
  const lines = inflateSync(Buffer.concat(data));
  const lineBytes = width * channels;
  const pixels = Buffer.alloc(lineBytes * height);
  for (let line = 0; line < height; line += 1) {
    const filter = lines[line * (lineBytes + 1)];
    for (let at = 0; at < lineBytes; at += 1) {
      const raw = lines[line * (lineBytes + 1) + 1 + at] as number;
      const to = line * lineBytes + at;
      const left = at >= channels ? (pixels[to - channels] as number) : 0;
      const up = line > 0 ? (pixels[to - lineBytes] as number) : 0;
      const corner = at >= channels && line > 0 ? (pixels[to - lineBytes - channels] as number) : 0;
      pixels[to] = raw + predicted(filter ?? 0, left, up, corner);
    }
  }
  return { width, height, channels, pixels };
}

function predicted(filter: number, left: number, up: number, corner: number): number {
  if (filter === 1) return left;
  if (filter === 2) return up;
  if (filter === 3) return (left + up) >> 1;
  if (filter !== 4) return 0;
  const [a, b, c] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

function encode(width: number, height: number, colours: readonly number[], indexes: Buffer): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 3, 0, 0, 0], 8);
  const palette = Buffer.from(colours.flatMap((colour) => [colour >> 16, (colour >> 8) & 0xff, colour & 0xff]));
  const lines = Buffer.alloc((width + 1) * height);
  for (let line = 0; line < height; line += 1)
    indexes.copy(lines, line * (width + 1) + 1, line * width, (line + 1) * width);
  return Buffer.concat([
    signature,
    chunk('IHDR', head),
    chunk('PLTE', palette),
    chunk('IDAT', deflateSync(lines, { level: 9, memLevel: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(name: string, body: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(name, 'latin1'), body]);
  const found = Buffer.alloc(named.length + 8);
  found.writeUInt32BE(body.length, 0);
  named.copy(found, 4);
  found.writeUInt32BE(crc32(named), found.length - 4);
  return found;
}
