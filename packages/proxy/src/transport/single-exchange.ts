import type { Endpoint } from '../model/endpoint.ts';
import { DeadlineSweep } from './deadline-sweep.ts';
import type { EndpointChannel, ResponseReceiver } from './endpoint-channel.ts';
import { EndpointConnection } from './endpoint-connection.ts';
import { Http2Channel } from './http2/http2-channel.ts';
import { Http2Connection } from './http2/http2-connection.ts';

/** A connection for one exchange, outside the pool. */
export interface SingleExchange {
  readonly channel: EndpointChannel;
  /** Closes the connection; nothing more is reported. */
  close(): void;
}

/** Opens a connection by the endpoint's protocol. A failure is reported to the channel's receiver. */
export function openSingleExchange(endpoint: Endpoint, timeoutMs: number, onFault: () => void): SingleExchange {
  return endpoint.http2 === true ? overHttp2(endpoint, timeoutMs, onFault) : overHttp1(endpoint, timeoutMs, onFault);
}

function overHttp1(endpoint: Endpoint, timeoutMs: number, onFault: () => void): SingleExchange {
  const owner = {
    sweep: new DeadlineSweep(),
    onFinished: () => {},
    onClosed: () => {},
    onDetached: () => {},
    onOpened: () => {},
    onLocalShortage: () => {},
    onFault,
  };
  const channel = new EndpointConnection(endpoint, owner, timeoutMs);
  return { channel, close: () => channel.abandon() };
}

function overHttp2(endpoint: Endpoint, timeoutMs: number, onFault: () => void): SingleExchange {
  const sweep = new DeadlineSweep();
  const channel = new Http2Channel(endpoint, { sweep, leave: () => {}, onFault }, timeoutMs);
  const owner = {
    sweep,
    onReady: (ready: Http2Connection) => {
      if (ready.capacity > 0) ready.take(channel);
      else channel.fail({ kind: 'unprocessed' });
    },
    onCapacity: () => {},
    onClosed: (_closed: Http2Connection, fault: Parameters<ResponseReceiver['onBroken']>[0] | undefined) =>
      channel.fail(fault ?? { kind: 'closed', error: undefined }),
    onOpened: () => {},
    onFault,
  };
  const connection = new Http2Connection(endpoint, owner, timeoutMs);
  return {
    channel,
    close: () => {
      channel.abandon();
      connection.close();
    },
  };
}
