import { adminFloods } from './admin-floods.ts';
import type { Flood } from './attack.ts';
import { http1Floods } from './http1-floods.ts';
import { http2Floods } from './http2-floods.ts';
import { relayFloods, tlsFloods } from './tls-floods.ts';

export const floods: readonly Flood[] = [...http1Floods, ...tlsFloods, ...http2Floods, ...relayFloods, ...adminFloods];
