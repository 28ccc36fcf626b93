import { faultsIn, type Mutant } from './mutant.ts';

const proxy = 'packages/proxy/src';
const runtime = 'packages/runtime/src';

/** Health and balancing of endpoints, PROXY headers, gRPC, settings. */
export const endpointMutants: readonly Mutant[] = [
  ...faultsIn(
    `${proxy}/endpoints/endpoint-health.ts`,
    [`${proxy}/endpoints/endpoint-health.test.ts`],
    [
      ['a client that leaves is a failure', "if (outcome === 'abandoned' || ", 'if ('],
      [
        'failures with responses in between eject',
        "present.kind === 'healthy' && present.failures > 0 ? newlyMet : present",
        'present',
      ],
      [
        'an endpoint that accepts no connection needs three failures',
        "outcome === 'unreachable' ? policy.failuresToEject : ",
        '',
      ],
      [
        'a hint of a peer has no effect',
        'failures: policy.failuresToEject - 1',
        'failures: policy.failuresToEject - 2',
      ],
      ['ejections do not get longer', '2 ** Math.min(ejectionsBefore, 20)', '1'],
      ['an endpoint returns without a request', 'return Math.max(0.1, (nowMs', 'return Math.max(0, (nowMs'],
      [
        'a passed check returns an endpoint at once',
        "return { kind: 'returning', sinceMs: nowMs, ejections: present.ejections };",
        'return newlyMet;',
      ],
    ],
  ),
  ...faultsIn(
    `${proxy}/endpoints/weighted-servers.ts`,
    [`${proxy}/endpoints/upstreams.test.ts`],
    [
      ['a server with two addresses gets twice its part', '(server.weight * scale) / among', 'server.weight * scale'],
      ['a backup is an endpoint as the others', '...(backup === undefined ? {} : { backup })', ''],
    ],
  ),
  ...faultsIn(
    `${proxy}/endpoints/balancing/balancer.ts`,
    [`${proxy}/endpoints/balancing/balancer.test.ts`],
    [
      ['ejection of all endpoints is an outage', 'willing.length > 0 ? willing : tier', 'willing'],
      ['a backup gets requests beside the others', 'open.some(isBackup) ? tierOf(open, usable) : open', 'open'],
      [
        'an ejected endpoint keeps the backups out',
        'if (first.some(usable)) return first;',
        'if (first.length > 0) return first;',
      ],
      ['a draining endpoint gets requests', "each !== chosen && each.state === 'active' && ", 'each !== chosen && '],
      [
        'a session stays at an ejected endpoint',
        'if (stuck !== undefined && usable(stuck)) return stuck;',
        'if (stuck !== undefined) return stuck;',
      ],
      ['a shorter ejection of another worker counts', 'present.untilMs >= untilMs)) return;', 'false)) return;'],
      ['the end of a request is counted twice', 'if (state.outstanding > 0) {', '{'],
    ],
  ),
  ...faultsIn(
    `${proxy}/endpoints/balancing/least-outstanding.ts`,
    [`${proxy}/endpoints/balancing/balancer.test.ts`],
    [
      [
        'the busier of two endpoints is picked',
        'loadOf(b, outstandingOf) < loadOf(a, outstandingOf)',
        'loadOf(b, outstandingOf) > loadOf(a, outstandingOf)',
      ],
    ],
  ),
  ...faultsIn(
    `${proxy}/server/proxy-protocol/proxy-header.ts`,
    [`${proxy}/server/proxy-protocol/proxy-header.test.ts`],
    [
      ['a port may have a leading zero', '/^(0|[1-9]\\d{0,4})$/', '/^\\d{1,5}$/'],
      ['a header of UDP is taken', "if (transport !== 1) return invalid('it does not speak of TCP');", ''],
      [
        'an IPv4 address in IPv6 is another client',
        'if (content.subarray(0, 12).equals(mappedPrefix)) return asIPv4(content.subarray(12));',
        '',
      ],
      [
        'a header of any length is awaited',
        "if (lengthBytes > mostProxyHeaderBytes) return invalid('it is too long');",
        '',
      ],
      ['fields behind the ports are ignored', ' && more.length === 0;', ';'],
    ],
  ),
  ...faultsIn(
    `${proxy}/http/grpc/grpc-fields.ts`,
    [`${proxy}/http/grpc/grpc-fields.test.ts`],
    [
      ['gRPC-Web is gRPC', '/^application\\/grpc(?:$|[+; ])/i', '/^application\\/grpc/i'],
      ['a percent sign passes in a message', ' && byte !== 0x25\n', '\n'],
      ['a timeout has nine digits', '(\\d{1,8})([HMSmun])', '(\\d{1,9})([HMSmun])'],
    ],
  ),
  ...faultsIn(
    `${proxy}/http/grpc/grpc-web.ts`,
    [`${proxy}/http/grpc/grpc-web.test.ts`],
    [
      ['padding within a body ends it', "if (!groups.includes('=')) return", 'if (true) return'],
      ['names of trailers keep their case', '(flat[at] as string).toLowerCase()', 'flat[at]'],
    ],
  ),
  ...faultsIn(
    `${runtime}/settings/parsers.ts`,
    [`${runtime}/settings/parsers.test.ts`, `${runtime}/settings/read-settings.test.ts`],
    [
      ['one port twice is taken', "if (found.some((each) => each.port === number)) return not('each port once');", ''],
      ['a token with a blank at its end locks all out', '(?:[\\x20-\\x7e]*[\\x21-\\x7e])?$/', '[\\x20-\\x7e]*$/'],
      ['a reserved owner is taken', "['manual', 'sample', 'env'].includes(raw)", 'false'],
      ['three keys are a rotation', 'parts.value.length > 2 || ', ''],
    ],
  ),
  ...faultsIn(
    `${runtime}/networks.ts`,
    [`${runtime}/networks.test.ts`],
    [
      ['an IPv6 address has a zone', " || address.includes('%')) return undefined;", ') return undefined;'],
      ['an IPv4 network has 64 bits', 'family === 4 ? 32 : 128', '128'],
      [
        'a mapped address is another client',
        "address.startsWith('::ffff:') && isIPv4(address.slice(7)) ? address.slice(7) : address",
        'address',
      ],
    ],
  ),
];
