import type { DestinationEntries, ServiceEntries } from './entry-maps.ts';
import { added, fixed, same, served } from './label-entry.ts';
import { boolean, integer, not, ok, oneOf, secondsAsMs, text } from './label-parsers.ts';

/** How the endpoints of a service are found, chosen and watched, and the labels of tcp and sni relays. */
export const upstreamServiceLabels = {
  sessionType: {
    name: 'sessionType',
    parse: (raw) =>
      raw.trim() === 'sticky-server'
        ? ok('sticky-server')
        : { ok: false, expected: 'sticky-server; other values mean no sticky sessions', severity: 'warning' },
    meaning: '`sticky-server`: a cookie named after the service keeps a client at the task that answered first.',
    example: 'sticky-server',
    support: served,
    dockerFlow: fixed(
      'The cookie names a task and is given anew when the task is gone; Docker Flow’s list dies with an update.',
    ),
  },
  discoveryType: {
    name: 'discoveryType',
    parse: (raw) => {
      const type = raw.trim().toLowerCase();
      return type === 'dns' ? ok('DNS') : type === 'overlay' ? ok(undefined) : not('DNS or Overlay');
    },
    default: 'the registered addresses of the tasks',
    meaning: '`DNS`: endpoints are what `tasks.<service>` resolves to.',
    example: 'DNS',
    support: served,
    dockerFlow: same,
  },
  balance: {
    name: 'balance',
    parse: oneOf('round-robin', 'least-outstanding'),
    default: 'round-robin',
    meaning: 'How an endpoint is picked: in turn, or the less busy one of two taken at random.',
    example: 'least-outstanding',
    support: served,
    dockerFlow: added,
  },
  weight: {
    name: 'weight',
    parse: integer(0, 256),
    meaning:
      'Canary: services with the same match and a weight share its requests in proportion, instead of a conflict.',
    example: '5',
    support: served,
    dockerFlow: added,
  },
  replicas: {
    name: 'replicas',
    parse: integer(0, 1_000_000_000),
    default: 'absent for global services',
    meaning: 'Wanted tasks; the listener sets it. `0` removes the service.',
    example: '3',
    support: served,
    dockerFlow: same,
  },
  distribute: {
    name: 'distribute',
    parse: boolean,
    default: 'true',
    meaning: 'Accepted and without effect: every replica of the proxy follows one registry.',
    example: 'true',
    support: served,
    dockerFlow: fixed('Every change reaches every replica, asked for or not.'),
  },
} satisfies Partial<ServiceEntries>;

export const upstreamDestinationLabels = {
  checkPath: {
    name: 'checkPath',
    parse: (raw) => (/^\/\S*$/.test(raw.trim()) ? ok(raw.trim()) : not('a path such as /health')),
    meaning: 'Path that each endpoint is asked for now and then; one that does not answer 2xx or 3xx gets no requests.',
    example: '/health',
    support: served,
    dockerFlow: added,
  },
  checkIntervalMs: {
    name: 'checkIntervalMs',
    parse: integer(100, 3_600_000),
    default: '5000',
    meaning: 'Milliseconds between two checks of `checkPath`.',
    example: '2000',
    support: served,
    dockerFlow: added,
  },
  timeoutClientMs: {
    name: 'timeoutClient',
    parse: secondsAsMs,
    default: '`TIMEOUT_CLIENT`, else 20',
    meaning: 'Seconds a client may stay silent in the middle of a request, or of a tcp or sni relay.',
    example: '300',
    support: served,
    dockerFlow: same,
  },
  serviceGroup: {
    name: 'serviceGroup',
    parse: text,
    meaning: 'tcp and sni: services of one group on one port share its connections.',
    example: 'postgres',
    support: served,
    dockerFlow: same,
  },
  balanceGroup: {
    name: 'balanceGroup',
    parse: text,
    default: 'roundrobin',
    meaning: 'tcp and sni: how a group’s endpoint is picked, `roundrobin` or `leastconn`.',
    example: 'leastconn',
    support: served,
    dockerFlow: same,
  },
  checkTcp: {
    name: 'checkTcp',
    parse: boolean,
    default: 'false',
    meaning: 'tcp and sni: endpoints are checked by connecting to them.',
    example: 'true',
    support: served,
    dockerFlow: same,
  },
  clitcpka: {
    name: 'clitcpka',
    parse: boolean,
    default: 'false',
    meaning: 'tcp and sni: TCP keep-alive towards the client.',
    example: 'true',
    support: served,
    dockerFlow: same,
  },
} satisfies Partial<DestinationEntries>;
