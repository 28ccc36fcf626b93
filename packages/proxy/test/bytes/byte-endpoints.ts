import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createSecureSocketServer } from 'node:tls';
import { reset } from '../../src/transport/reset.ts';
import { MessageReader } from './http1-messages.ts';
import { Http2ByteConnection } from './http2-byte-endpoint.ts';
import { PatternCheck, patternOf } from './pattern.ts';
import { afterTurns, type BytePlan, oneOf, pause, piecesOf, planOf, type Random, randomOf, uploadOf } from './plan.ts';

/** What one attempt of a request brought an endpoint. */
export interface ByteAttempt {
  readonly id: number;
  /** Of the request's body. */
  readonly bytes: number;
  readonly fault: string | undefined;
  /** The body came to its end, as its framing tells. */
  readonly isWhole: boolean;
}

export interface ByteEndpoint {
  readonly port: number;
  /** Open connections. */
  readonly sockets: ReadonlySet<Socket>;
  stop(): Promise<void>;
}

export interface EndpointOptions {
  readonly protocol: 'http1' | 'h2';
  /** Key and certificate; left out: cleartext. */
  readonly pem?: string;
  readonly onAttempt: (attempt: ByteAttempt) => void;
  /** Of each attempt, before it is served: `true` where the endpoint leaves it alone, and its connection is to be closed. */
  readonly refuses?: (plan: BytePlan) => boolean;
  /** What the proxy did wrong on a connection. */
  readonly onFault?: (text: string) => void;
  readonly random?: Random;
  /** Serves the connections instead. */
  readonly serve?: (socket: Socket) => void;
}

/** An endpoint that does with each request what its path tells, and reports what it got. */
export async function startByteEndpoint(options: EndpointOptions): Promise<ByteEndpoint> {
  const server = serverOf(options);
  const sockets = new Set<Socket>();
  const follow = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  };
  server.on('connection', follow);
  server.on('secureConnection', (socket: Socket) => socket.on('error', () => undefined));
  await new Promise<void>((resolve) => (server as Server).listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    sockets,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function serverOf(options: EndpointOptions): Server {
  const { pem, protocol, random = Math.random } = options;
  const settings = { allowHalfOpen: true, noDelay: true };
  const serve = (socket: Socket) => {
    if (options.serve !== undefined) options.serve(socket);
    else if (protocol === 'http1') new Http1ByteConnection(socket, options);
    else {
      const windowBytes = oneOf(random, [0, 1, 100, 65_535, 1 << 20]);
      new Http2ByteConnection(socket, options, { windowBytes, changesWindow: random() < 0.5, random });
    }
  };
  if (pem === undefined) return createServer(settings, serve);
  return createSecureSocketServer(
    { cert: pem, key: pem, ALPNProtocols: [protocol === 'h2' ? 'h2' : 'http/1.1'], ...settings },
    serve,
  );
}

class Http1ByteConnection {
  readonly #socket: Socket;
  readonly #options: EndpointOptions;
  #plan: BytePlan | undefined;
  #check = new PatternCheck(0);
  #random: Random = Math.random;
  #isResponding = false;

  constructor(socket: Socket, options: EndpointOptions) {
    this.#socket = socket;
    this.#options = options;
    const reader = new MessageReader(
      {
        onHead: (line) => this.#begin(planOf(line.split(' ')[1] ?? '')),
        onBody: (bytes) => this.#onBody(bytes),
        onEnd: () => this.#onEnd(),
      },
      false,
    );
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      try {
        reader.read(bytes);
      } catch (error) {
        this.#report(false, String(error));
        options.onFault?.(String(error));
        socket.destroy();
      }
    });
    socket.on('end', () => socket.end());
    socket.on('close', () => this.#report(false));
  }

  #begin(plan: BytePlan): boolean {
    if (this.#plan !== undefined || this.#isResponding) throw new Error(`${plan.id} came within another exchange`);
    this.#plan = plan;
    this.#check = new PatternCheck(uploadOf(plan.id));
    this.#random = randomOf(plan.seed);
    if (this.#options.refuses?.(plan) === true) {
      this.#report(false);
      this.#socket.destroy();
    } else if (plan.responds === 'early') void this.#respond(plan);
    return false;
  }

  #onBody(bytes: Buffer): void {
    this.#check.add(bytes);
    if (this.#plan?.reading !== 'slow' || this.#random() > 0.5) return;
    this.#socket.pause();
    const goOn = () => void this.#socket.resume();
    afterTurns(30).then(goOn, goOn);
  }

  #onEnd(): void {
    const plan = this.#plan;
    this.#report(true);
    if (plan?.responds === 'after') void this.#respond(plan);
  }

  #report(isWhole: boolean, fault = this.#check.fault): void {
    const plan = this.#plan;
    if (plan === undefined) return;
    this.#plan = undefined;
    this.#options.onAttempt({ id: plan.id, bytes: this.#check.bytes, fault, isWhole });
  }

  async #respond(plan: BytePlan): Promise<void> {
    this.#isResponding = true;
    const socket = this.#socket;
    const random = randomOf(plan.seed + 1);
    const length = plan.framing === 'length' ? `Content-Length: ${plan.sizeBytes}\r\n` : '';
    const framing = plan.framing === 'chunked' ? 'Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n' : length;
    const head = Buffer.from(`HTTP/1.1 200 OK\r\nX-Id: ${plan.id}\r\n${framing}\r\n`);
    const end = plan.framing === 'chunked' ? `0\r\nX-Sum: ${plan.id}\r\n\r\n` : '';
    const isWhole = plan.ends === 'whole';
    const bytes = isWhole ? plan.sizeBytes : plan.cutAt;
    const waiting: Buffer[] = [head];
    for (const [from, to] of piecesOf(random, bytes)) {
      const piece = patternOf(plan.id, from, to);
      if (plan.framing !== 'chunked') waiting.push(piece);
      else waiting.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n'));
      if (plan.writing === 'whole' || random() < 0.3) continue;
      // The next request may come as soon as the end has left.
      if (to === plan.sizeBytes && plan.framing === 'length') this.#isResponding = false;
      if (!(await this.#write(Buffer.concat(waiting.splice(0)), random, plan.writing === 'slow'))) return;
    }
    if (isWhole) waiting.push(Buffer.from(end));
    this.#isResponding = false;
    if (!(await this.#write(Buffer.concat(waiting), random, false))) return;
    if (plan.ends === 'reset') reset(socket);
    else if (plan.ends === 'fin' || plan.framing === 'close') socket.end();
  }

  async #write(bytes: Buffer, random: Random, isSlow: boolean): Promise<boolean> {
    const socket = this.#socket;
    const isTaken = socket.write(bytes);
    await pause(random, isSlow);
    if (!isTaken) await untilDrained(socket);
    return !socket.destroyed;
  }
}

function untilDrained(stream: Socket): Promise<void> {
  return new Promise((resolve) => {
    const over = () => {
      stream.off('drain', over);
      stream.off('close', over);
      resolve();
    };
    if (!stream.writableNeedDrain || stream.destroyed) resolve();
    else stream.on('drain', over).on('close', over);
  });
}
