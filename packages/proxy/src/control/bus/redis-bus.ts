import { randomUUID } from 'node:crypto';
import { type FaultOwner, guard, guardPromise, type Logger, type Tasks } from '@swarmgate/runtime';
import type { Redis } from 'ioredis';
import { connectRedis } from '../../middleware/limits/redis-connection.ts';
import type { BusCounts, ClusterBus, Hint, ReceivedHint } from './cluster-bus.ts';
import { mostMessageBytes, readMessage, writeMessage } from './message.ts';
import { TokenBucket } from './token-bucket.ts';

export interface RedisBusOptions {
  /** `REDIS_URL`. */
  readonly url: string;
  /** `PROXY_INSTANCE_NAME`: replicas of one instance share a channel. */
  readonly instance: string;
  readonly replica: string;
  readonly logger: Logger;
  readonly tasks: Pick<Tasks, 'owner'>;
}

const mostSentPerSecond = 200;
const mostPending = 64;
// A Redis that did not respond is left alone so long.
const restMs = 2_000;
const mostHeardPerSecond = 2_000;
const mostHeardBytesPerSecond = 1_024 * 1_024;
// Parsing a flood of messages costs time even if they are dropped: the connection is closed for a while.
const floodRestMs = 30_000;
const lookEveryMs = 2_000;
// A replica receives its own messages. A connection without them is dead, even if the kernel shows it as open.
const silentAfterMs = 10_000;
const connectedWithinMs = 5_000;

/** Hints over Redis' publish and subscribe (https://redis.io/docs/latest/develop/pubsub/): at most once, unordered. */
export class RedisBus implements ClusterBus {
  readonly #options: RedisBusOptions;
  readonly #channel: string;
  readonly #sender = randomUUID();
  readonly #publisher: Redis;
  readonly #subscriber: Redis;
  readonly #listeners = new Set<(received: ReceivedHint) => void>();
  readonly #toSend = new TokenBucket(mostSentPerSecond);
  readonly #toHear = new TokenBucket(mostHeardPerSecond);
  readonly #toHearBytes = new TokenBucket(mostHeardBytesPerSecond);
  readonly #looking: NodeJS.Timeout;
  readonly #owner: FaultOwner;
  readonly #counts = { sent: 0, unsent: 0, received: 0, refused: 0 };
  #flooded: NodeJS.Timeout | undefined;
  #pending = 0;
  #restUntilMs = 0;
  #silentSinceMs = performance.now();
  #receivedOwnMs: number | undefined;
  #stopped = false;

  constructor(options: RedisBusOptions) {
    this.#options = options;
    const { url, logger } = options;
    this.#channel = `swarmgate:${options.instance}:hints`;
    this.#publisher = connectRedis({ url, logger, whileAway: 'this proxy sends nothing to the other replicas' });
    this.#subscriber = connectRedis({
      url,
      logger,
      whileAway: 'this proxy receives nothing from the other replicas',
      more: { autoResubscribe: false, commandTimeout: restMs },
    });
    this.#owner = options.tasks.owner('redis-bus');
    this.#subscriber.on(
      'ready',
      guard(this.#owner, () => guardPromise(this.#owner, this.#join())),
    );
    this.#subscriber.on(
      'message',
      guard(this.#owner, (_channel: string, text: string) => this.#receive(text)),
    );
    this.#looking = setInterval(
      guard(this.#owner, () => this.#look()),
      lookEveryMs,
    ).unref();
  }

  publish(hint: Hint): void {
    const nowMs = performance.now();
    const away = this.#publisher.status !== 'ready' || nowMs < this.#restUntilMs || this.#pending >= mostPending;
    if (away || !this.#toSend.take(nowMs)) {
      this.#counts.unsent += 1;
      return;
    }
    guardPromise(this.#owner, this.#send(writeMessage(this.#sender, this.#options.replica, hint)));
  }

  subscribe(listener: (received: ReceivedHint) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  counts(): BusCounts {
    const { status } = this.#subscriber;
    const receivedMs = this.#receivedOwnMs;
    const connected =
      status === 'ready' && receivedMs !== undefined && performance.now() - receivedMs < connectedWithinMs;
    return { ...this.#counts, connected };
  }

  stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#looking);
    clearTimeout(this.#flooded);
    this.#listeners.clear();
    this.#publisher.disconnect();
    this.#subscriber.disconnect();
    return Promise.resolve();
  }

  async #send(message: string): Promise<void> {
    this.#pending += 1;
    try {
      await this.#publisher.publish(this.#channel, message);
      this.#counts.sent += 1;
    } catch (error) {
      this.#counts.unsent += 1;
      this.#restUntilMs = performance.now() + restMs;
      if (!this.#stopped) this.#options.logger.debug({ err: error }, 'Redis did not take a hint');
    } finally {
      this.#pending -= 1;
    }
  }

  async #join(): Promise<void> {
    try {
      await this.#subscriber.subscribe(this.#channel);
      this.#silentSinceMs = performance.now();
    } catch (error) {
      // `#look` detects the silence and reconnects.
      if (!this.#stopped) this.#options.logger.debug({ err: error }, 'cannot subscribe to Redis');
    }
  }

  #receive(text: string): void {
    const nowMs = performance.now();
    if (!this.#toHear.take(nowMs) || !this.#toHearBytes.take(nowMs, text.length)) {
      this.#counts.refused += 1;
      this.#hangUp();
      return;
    }
    const message = text.length > mostMessageBytes ? undefined : readMessage(text);
    if (message === undefined) {
      this.#counts.refused += 1;
      return;
    }
    if (message.sender === this.#sender) {
      this.#receivedOwnMs = nowMs;
      this.#silentSinceMs = nowMs;
      return;
    }
    this.#counts.received += 1;
    for (const listener of this.#listeners) listener({ replica: message.replica, hint: message.hint });
  }

  #hangUp(): void {
    if (this.#flooded !== undefined || this.#stopped) return;
    this.#options.logger.warn({ forMs: floodRestMs }, 'too many messages from Redis: disconnected for a while');
    this.#subscriber.disconnect();
    const listenAgain = guard(this.#owner, () => {
      this.#flooded = undefined;
      // Its `error` event reports the failure, and it retries by itself.
      this.#subscriber.connect().catch(() => undefined);
    });
    this.#flooded = setTimeout(listenAgain, floodRestMs).unref();
  }

  #look(): void {
    if (this.#subscriber.status !== 'ready' || performance.now() - this.#silentSinceMs < silentAfterMs) return;
    this.#silentSinceMs = performance.now();
    this.#subscriber.disconnect(true);
  }
}
