import type { FloodPorts } from './flooded-proxy.ts';
import { floods } from './kinds.ts';

// A process of its own, which ends with its channel. Arguments: the ports of the proxy, the name of the flood.
const ports = JSON.parse(process.argv[2] ?? '{}') as FloodPorts;
const flood = floods.find(({ name }) => name === process.argv[3]);
process.on('disconnect', () => process.exit(0));
if (flood === undefined) throw new Error(`no flood is named ${process.argv[3]}`);
flood.start(ports);
process.send?.('started');
