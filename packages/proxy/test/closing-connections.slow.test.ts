import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { until as eventually } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import { type RigOptions, ServerRig } from './behaviour-rig.ts';
import { makeCoreServer, makeExpressServer } from './server-rig.ts';

/** A client's connection whose client takes bytes only when the test says so. */
class PausedClient extends Duplex {
  readonly remoteAddress = '127.0.0.1';
  readonly localPort = 80;
  taken = '';
  #untaken: (() => void)[] = [];
  /** As the system counts them. */
  readonly _handle = { bytesWritten: 0, writeQueueSize: 0 };

  /** Takes what waits, one piece. */
  takePiece(): void {
    this.#untaken.shift()?.();
  }

  get waiting(): boolean {
    return this.#untaken.length > 0;
  }

  setNoDelay(): this {
    return this;
  }

  wasReset = false;

  resetAndDestroy(): this {
    this.wasReset = true;
    return this.destroy();
  }

  destroySoon(): void {
    this.end(() => this.destroy());
  }

  override _read(): void {}

  override _write(chunk: Buffer | string, encoding: BufferEncoding, done: () => void): void {
    this.#untaken.push(() => {
      this._handle.bytesWritten += chunk.length;
      this.taken += typeof chunk === 'string' ? Buffer.from(chunk, encoding).toString() : chunk.toString();
      done();
    });
  }
}

async function passed(ms: number): Promise<void> {
  const endMs = performance.now() + ms;
  await eventually('the time has passed', () => performance.now() > endMs);
}

for (const [router, makeServer] of [
  ['core', makeCoreServer],
  ['Express', makeExpressServer],
] as const)
  describe(`connections at their end, ${router} router`, function () {
    this.timeout(20_000);
    let rig: ServerRig;
    afterEach(() => rig.stop());

    async function pausedClient(options: RigOptions, more: string): Promise<PausedClient> {
      rig = await ServerRig.start(makeServer, options);
      const client = new PausedClient();
      client.on('error', () => undefined);
      rig.server.accept(client as unknown as Socket, { port: 80, secure: false });
      client.push(`GET /nowhere HTTP/1.1\r\nHost: h\r\n${more}\r\n`);
      await eventually('the response waits for its client', () => client.waiting && rig.reports.length > 0);
      return client;
    }

    it('gives a client that pauses all of a response after which the connection closes', async () => {
      const client = await pausedClient({}, 'Connection: close\r\n');
      await passed(2_600);
      client.takePiece();
      await eventually('the connection is at its end', () => client.writableFinished);
      expect(client.taken).to.match(/^HTTP\/1\.1 503 [\s\S]*no-route/);
    });

    it('ends it once its client has taken nothing for TIMEOUT_CLIENT', async () => {
      const client = await pausedClient({ timeouts: { clientMs: 300 } }, 'Connection: close\r\n');
      const beganMs = performance.now();
      await eventually('the connection is closed', () => client.destroyed);
      expect(performance.now() - beganMs).to.be.within(200, 1_500);
      // An orderly end would leave the rest of the response in the system's memory for as long as that tries to send it.
      expect(client.wasReset).to.equal(true);
    });

    it('ends one that stays open, too, where its client takes nothing of the last response', async () => {
      const client = await pausedClient({ timeouts: { clientMs: 300 }, keepAliveMs: 200 }, '');
      await eventually('the connection is closed', () => client.destroyed);
      expect(client.taken).to.equal('');
      expect(client.wasReset).to.equal(true);
    });

    it('gives a client that connects after an idle time all of its time', async () => {
      rig = await ServerRig.start(makeServer, { headMs: 700 });
      rig.route('a', { endpoints: [await rig.backend((_request, response) => response.end('served'))] });
      await passed(1_000);
      const client = rig.connect();
      await passed(400);
      client.send('GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
      expect(await client.untilClosed()).to.include('served');
    });
  });
