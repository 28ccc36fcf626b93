import { networks } from '../values/networks.ts';
import { boolean, seconds } from '../values/plain.ts';
import { not, ok, type Value } from '../values/value.ts';
import { added, httpOnly, label } from './label-entry.ts';

const shortText = (most: number): Value<string> => ({
  parse: (raw) => (raw.trim().length <= most ? ok(raw.trim()) : not(`at most ${most.toLocaleString('en')} characters`)),
  schema: (zod) => zod.string().min(1).max(most),
});

/** Maintenance that is deployed with a service; operators set it without a deployment (docs/maintenance.md). */
export const maintenanceServiceLabels = {
  maintenance: label('maintenance', boolean, {
    default: 'false',
    meaning:
      'The service is in maintenance: requests get 503 with `Retry-After` and a page, connections of `reqMode` tcp, sni and tls are refused (docs/maintenance.md).',
    restricts: 'maintenance',
    example: 'true',
    dockerFlow: added,
  }),
  maintenanceMessage: label('maintenanceMessage', shortText(2_000), {
    default: 'the service is down for maintenance',
    meaning: 'One sentence for clients of a service in maintenance, as text, in the page, and as `grpc-message`.',
    modes: httpOnly,
    example: 'Back at ten.',
    dockerFlow: added,
  }),
  maintenancePage: label('maintenancePage', shortText(16_000), {
    default: 'a page with the message',
    meaning: 'HTML for clients that prefer it, on one line.',
    modes: httpOnly,
    example: '<h1>Back at ten</h1>',
    dockerFlow: added,
  }),
  maintenanceExcept: label('maintenanceExcept', networks, {
    meaning: 'Addresses and networks whose clients reach the service in maintenance.',
    example: '10.0.0.0/8',
    dockerFlow: added,
  }),
  retryAfterMs: label('retryAfter', seconds, {
    default: '120',
    meaning: '`Retry-After` of a service in maintenance, in seconds.',
    modes: httpOnly,
    example: '600',
    dockerFlow: added,
  }),
};
