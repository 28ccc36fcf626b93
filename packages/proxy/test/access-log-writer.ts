import { AccessLog } from '../src/exchange/access-log.ts';
import { accessRecord } from './access-record.ts';

/** A worker as far as its access log goes: lines of many lengths in bursts, to the standard output that it was given. */
const name = process.argv[2] ?? '';
const bursts = 200;
const log = new AccessLog({ format: 'json', write: process.stdout });
let left = bursts;

function burst(): void {
  for (let at = 0; at < 40; at += 1) {
    const path = `/${name}/${'x'.repeat((left * 37 + at * 101) % 900)}`;
    log.add(accessRecord({ path, endpoint: undefined }));
  }
  left -= 1;
  if (left > 0) setImmediate(burst);
}
burst();
