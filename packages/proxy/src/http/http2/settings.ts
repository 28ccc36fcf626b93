import { type Fault, faults } from './faults.ts';
import { defaultFrameBytes, most31Bits, Setting } from './frames.ts';
import { defaultTableBytes } from './hpack/decoder.ts';
import type { SessionOptions } from './session-options.ts';

/** What the peer has announced (RFC 9113, section 6.5.2), or the initial values. */
export interface PeerSettings {
  headerTableBytes: number;
  maxConcurrentStreams: number;
  initialWindowBytes: number;
  maxFrameBytes: number;
  /** Advisory. */
  maxHeaderListBytes: number;
  connectProtocol: boolean;
}

export function initialPeerSettings(maxConcurrentStreams: number): PeerSettings {
  return {
    headerTableBytes: defaultTableBytes,
    maxConcurrentStreams,
    initialWindowBytes: 65_535,
    maxFrameBytes: defaultFrameBytes,
    maxHeaderListBytes: Number.POSITIVE_INFINITY,
    connectProtocol: false,
  };
}

const mostFrameBytes = 16_777_215;

/** Takes a SETTINGS payload into `settings`, in order. Unknown settings are ignored. */
export function applySettings(
  settings: PeerSettings,
  role: 'server' | 'client',
  bytes: Buffer,
  from: number,
  to: number,
): Fault | undefined {
  for (let at = from; at < to; at += 6) {
    const fault = applySetting(settings, role, bytes.readUInt16BE(at), bytes.readUInt32BE(at + 2));
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/**
 * The lowest limit of HPACK's table that a SETTINGS payload passes through. Where it is below the last one, the next block announces
 * both (RFC 7541, section 4.2).
 */
export function lowestTableBytes(bytes: Buffer, from: number, to: number): number {
  let lowest = Number.POSITIVE_INFINITY;
  for (let at = from; at < to; at += 6)
    if (bytes.readUInt16BE(at) === Setting.headerTableSize) lowest = Math.min(lowest, bytes.readUInt32BE(at + 2));
  return lowest;
}

function applySetting(
  settings: PeerSettings,
  role: 'server' | 'client',
  identifier: number,
  value: number,
): Fault | undefined {
  switch (identifier) {
    case Setting.headerTableSize:
      settings.headerTableBytes = value;
      return undefined;
    case Setting.enablePush:
      // A server must not announce push (RFC 9113, section 6.5.2).
      return value > 1 || (role === 'client' && value === 1) ? faults.settingValue : undefined;
    case Setting.maxConcurrentStreams:
      settings.maxConcurrentStreams = value;
      return undefined;
    case Setting.initialWindowSize:
      if (value > most31Bits) return faults.initialWindow;
      settings.initialWindowBytes = value;
      return undefined;
    case Setting.maxFrameSize:
      if (value < defaultFrameBytes || value > mostFrameBytes) return faults.settingValue;
      settings.maxFrameBytes = value;
      return undefined;
    case Setting.maxHeaderListSize:
      settings.maxHeaderListBytes = value;
      return undefined;
    case Setting.enableConnectProtocol:
      // RFC 8441, section 3: 0 or 1, and never taken back.
      if (value > 1 || (value === 0 && settings.connectProtocol)) return faults.settingValue;
      settings.connectProtocol = value === 1;
      return undefined;
    default:
      return undefined;
  }
}

/** What this side announces: values that differ from the initial ones. */
export function ownSettings(options: SessionOptions, role: 'server' | 'client'): (readonly [number, number])[] {
  const values: (readonly [number, number])[] = [];
  if (options.headerTableBytes !== defaultTableBytes) values.push([Setting.headerTableSize, options.headerTableBytes]);
  if (role === 'client') values.push([Setting.enablePush, 0]);
  else values.push([Setting.maxConcurrentStreams, options.maxConcurrentStreams]);
  values.push([Setting.initialWindowSize, options.streamWindowBytes]);
  values.push([Setting.maxHeaderListSize, options.maxHeadBytes]);
  if (role === 'server' && options.enableConnectProtocol) values.push([Setting.enableConnectProtocol, 1]);
  return values;
}
