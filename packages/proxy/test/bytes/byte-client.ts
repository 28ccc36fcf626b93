import type { BytePlan } from './plan.ts';

/** How a client takes one response and sends one request. */
export interface Manner {
  readonly reading: 'fast' | 'slow';
  readonly writing: 'fast' | 'slow';
  /** HTTP/1.1: the request's body in chunks. HTTP/2: without its length. */
  readonly isUnsized: boolean;
  /** PUT instead of POST: the request may be sent twice. */
  readonly mayRepeat: boolean;
  /** It goes away once it has got so many bytes of the response, or has sent so many of the request; -1: never. */
  readonly leavesAtReceived: number;
  readonly leavesAtSent: number;
}

/** What the client has seen of one exchange. */
export interface Outcome {
  /** `left`: the client has gone, as it should. */
  readonly end: 'whole' | 'error' | 'left';
  /** 0: no head has come. */
  readonly status: number;
  readonly bytes: number;
  readonly fault: string | undefined;
  readonly trailers: string;
  readonly error: string;
}

export interface ByteClient {
  exchange(path: string, plan: BytePlan, manner: Manner): Promise<Outcome>;
  /** What was wrong with the connection itself. */
  readonly faults: readonly string[];
  readonly isOver: boolean;
  close(): void;
}

/** Of a request with a body. */
export const methodOf = ({ mayRepeat }: Manner): string => (mayRepeat ? 'PUT' : 'POST');
