import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ExchangeRecorder } from '../../../packages/proxy/src/exchange/numbers/exchange-recorder.ts';
import { accessRecord } from '../../../packages/proxy/test/access-record.ts';
import { tinyRoute } from '../../../packages/proxy/test/test-context.ts';
import { services } from '../forwarding/cases.ts';

/** Bytes that a worker takes for the numbers of 10,000 services, all with traffic: two endpoints each, five latency buckets. */
export function numbersBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const held = () => {
    // One collection leaves what its finalizers and ageing code hold.
    for (let time = 0; time < 4; time += 1) collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const records = Array.from({ length: 10 * services }, (_, at) => {
    const service = Math.floor(at / 10);
    const id = `task-${service}-${at % 2}`;
    return accessRecord({
      route: tinyRoute(`service-${service}`),
      endpoint: { id, host: '10.0.0.7', port: 80, secure: false, state: 'active' },
      durationMs: 2 * 1.2 ** (at % 5),
      sentBytes: 1_000,
      receivedBytes: 200,
    });
  });
  const recorder = new ExchangeRecorder();
  const before = held();
  for (const record of records) recorder.observe(record);
  const after = held();
  // Both are in use until here.
  if ([...recorder.take()].length === 0 || records.length === 0) throw new Error('nothing was counted');
  return after - before;
}
