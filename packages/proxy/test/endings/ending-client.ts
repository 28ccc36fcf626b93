import { connect, type Socket } from 'node:net';
import { connect as connectSecurely } from 'node:tls';

/** A client that keeps its side open until the test ends it, so that only the proxy can end the connection. */
export class EndingClient {
  readonly socket: Socket;
  received = '';
  /** The proxy's FIN or reset has come. */
  over = false;
  readonly #waiters = new Set<() => void>();

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    this.#follow(this.socket);
  }

  get localPort(): number | undefined {
    return this.socket.localPort;
  }

  async connected(): Promise<this> {
    if (this.socket.connecting)
      await new Promise<void>((resolve, reject) => {
        this.socket.once('connect', resolve);
        this.socket.once('error', reject);
      });
    return this;
  }

  write(text: string): void {
    if (!this.socket.destroyed) this.socket.write(text, 'latin1');
  }

  /** Until `text` was received or the connection is over. */
  async receives(text: string): Promise<void> {
    await this.#until(() => this.over || this.received.includes(text));
  }

  /** Until one of the texts was received, a byte a character, or the connection is over. */
  async receivesAny(texts: readonly string[]): Promise<void> {
    await this.#until(() => this.over || texts.some((text) => this.received.includes(text)));
  }

  async isOver(): Promise<void> {
    await this.#until(() => this.over);
  }

  /** Encrypts the connection; resolves when the handshake is done or has failed. */
  async secured(servername: string, ALPNProtocols: readonly string[] = []): Promise<Socket> {
    await this.connected();
    this.socket.removeAllListeners('data');
    const secure = connectSecurely({
      socket: this.socket,
      servername,
      rejectUnauthorized: false,
      ...(ALPNProtocols.length === 0 ? {} : { ALPNProtocols: [...ALPNProtocols] }),
    });
    this.#follow(secure);
    await new Promise<void>((resolve) => {
      secure.once('secureConnect', () => resolve());
      secure.once('close', () => resolve());
    });
    return secure;
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }

  #follow(socket: Socket): void {
    socket.on('data', (bytes) => {
      // What an ending looks like is at its beginning; thousands of clients keep no more.
      if (this.received.length < 4_096) this.received += bytes.toString('latin1');
      this.#notify();
    });
    const onOver = () => {
      this.over = true;
      this.#notify();
    };
    socket.on('end', onOver);
    socket.on('close', onOver);
    socket.on('error', () => undefined);
  }

  #notify(): void {
    for (const each of this.#waiters) each();
  }

  #until(isSo: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!isSo()) return;
        this.#waiters.delete(look);
        resolve();
      };
      this.#waiters.add(look);
      look();
    });
  }
}
