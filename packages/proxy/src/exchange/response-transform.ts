import type { Transform } from 'node:stream';
import { type FaultOwner, guard } from '@swarmgate/runtime';

export interface TransformConsumer extends FaultOwner {
  onTransformed(bytes: Buffer): void;
  onTransformEnd(): void;
  /** The stream takes more of the endpoint's response. */
  onTransformWritable(): void;
}

/** A stream that the body of a response passes through on its way to the client, such as compression. */
export class ResponseTransform {
  readonly #stream: Transform;

  constructor(stream: Transform, consumer: TransformConsumer) {
    this.#stream = stream;
    stream.on(
      'data',
      guard(consumer, (bytes: Buffer) => consumer.onTransformed(bytes)),
    );
    stream.on(
      'end',
      guard(consumer, () => consumer.onTransformEnd()),
    );
    stream.on(
      'drain',
      guard(consumer, () => consumer.onTransformWritable()),
    );
    stream.on('error', (error) => consumer.onFault(error));
  }

  /** Copies the bytes. Returns `false` where the caller waits for `onTransformWritable`. */
  give(bytes: Buffer, from: number, to: number, complete: boolean): boolean {
    const keepsUp = to <= from || this.#stream.write(Buffer.from(bytes.subarray(from, to)));
    if (complete) this.#stream.end();
    return keepsUp || complete;
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  destroy(): void {
    this.#stream.destroy();
  }
}
