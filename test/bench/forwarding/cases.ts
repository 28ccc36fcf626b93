import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type SubjectName =
  | 'Swarmgate'
  | 'Swarmgate, before'
  | 'Swarmgate, before, TLS'
  | 'Swarmgate, Express router'
  | 'Swarmgate, access log'
  | 'Swarmgate, TLS'
  | 'Swarmgate, h2c out'
  | 'Swarmgate, uncounted'
  | 'Swarmgate, middlewares'
  | 'Swarmgate, traces at 1 %'
  | 'Swarmgate, plug-ins of others'
  | 'Swarmgate, a plug-in'
  | 'Swarmgate, one worker'
  | 'Swarmgate, two workers'
  | 'HAProxy'
  | 'HAProxy, access log'
  | 'HAProxy, TLS'
  | 'HAProxy, HTTP/2'
  | 'HAProxy, HTTP/2 over TLS'
  | 'HAProxy, HTTP/2, h2c out'
  | 'nginx'
  | 'nginx, HTTP/2'
  | 'nginx, TLS'
  | 'Caddy'
  | 'Express + http-proxy-middleware'
  | 'bare node:net'
  | 'bare node:tls';

export interface BenchCase {
  readonly name: string;
  readonly connections: number;
  readonly path: string;
  readonly headers: readonly string[];
  readonly script?: string;
  readonly secure?: true;
  /** Over HTTP/2, so many streams at once on each connection; without TLS by prior knowledge. */
  readonly streams?: number;
  /** No requests: TLS handshakes, one after the other, of TLS 1.3 or resumed by a ticket of TLS 1.2. */
  readonly handshakes?: 'full' | 'resumed';
  /** Every request on a connection of its own. */
  readonly closes?: true;
  readonly subjects: readonly SubjectName[];
  /** Slots of each that are not counted. Default 1. */
  readonly warmUps?: number;
  /**
   * Processes of each subject, measured side by side. Default 1. Two of one program differ by some percent for as long as they
   * live, by how V8 has compiled and placed what they run: a limit as narrow as that needs several.
   */
  readonly processes?: number;
  /** Whom the others are compared with. Default: HAProxy. */
  readonly baseline?: SubjectName;
  /** What Swarmgate's ratio to that is held to. */
  readonly atMost?: number;
  /** The body's length that makes a response right. */
  readonly bodyBytes: number;
}

export const smallBody = 'hello world\n';
export const largeBytes = 102_400;
/** One of the 10,000 services of the table; the others only have to be passed over. */
export const benchHost = 'service-4242.bench.example';
export const services = 10_000;
export const hostOf = (at: number) => `service-${at}.bench.example`;

const overTls: readonly SubjectName[] = ['Swarmgate, TLS', 'HAProxy, TLS', 'nginx, TLS', 'bare node:tls'];
const everyone: readonly SubjectName[] = ['Swarmgate', 'HAProxy', 'nginx', 'Caddy', 'Express + http-proxy-middleware'];
/** With what the platform itself costs. */
const everyoneAndBare: readonly SubjectName[] = [...everyone, 'bare node:net'];

/** A checkout of an earlier commit with its packages installed: it is measured in the same rotation where it is set. */
export const beforeDirectory = process.env.BENCH_BEFORE;

/** The cases in which this checkout and the earlier one are compared. */
function withBefore(cases: readonly BenchCase[]): readonly BenchCase[] {
  if (beforeDirectory === undefined) return cases;
  return cases.flatMap((each): readonly BenchCase[] => {
    const own = each.subjects.find((name) => name === 'Swarmgate' || name === 'Swarmgate, TLS');
    const haproxy = each.subjects.find((name) => name.startsWith('HAProxy'));
    if (own === undefined || haproxy === undefined) return [];
    const before = own === 'Swarmgate' ? 'Swarmgate, before' : 'Swarmgate, before, TLS';
    // Two versions are compared by their compiled code: which of them is compiled sooner differs from run to run.
    return [{ ...each, warmUps: 6, subjects: [before, own, haproxy], baseline: before }];
  });
}

const manyHeaders = [
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
  'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'Accept-Language: en-US,en;q=0.5',
  'Accept-Encoding: gzip, deflate, br, zstd',
  'Referer: http://service-4242.bench.example/before',
  'Cookie: session=0123456789abcdef0123456789abcdef; theme=dark',
  'Upgrade-Insecure-Requests: 1',
  'Sec-Fetch-Dest: document',
  'Sec-Fetch-Mode: navigate',
  'Cache-Control: no-cache',
  'Pragma: no-cache',
];

/** The cases of the promise, in its order. */
export function benchCases(directory: string): readonly BenchCase[] {
  const post = join(directory, 'post.lua');
  const upload = join(directory, 'upload.lua');
  for (const [script, bytes] of [
    [post, 1_024],
    [upload, largeBytes],
  ] as const)
    writeFileSync(script, `wrk.method = "POST"\nwrk.body = string.rep("x", ${bytes})\n`);
  const host = `Host: ${benchHost}`;
  const small = { connections: 32, path: '/small', headers: [host], bodyBytes: smallBody.length };
  return withBefore([
    { ...small, name: 'small GET, 32 connections', subjects: everyoneAndBare, atMost: 1.15 },
    { ...small, name: 'small GET, 256 connections', connections: 256, subjects: everyoneAndBare, atMost: 1.15 },
    {
      ...small,
      name: '12 request and 7 response headers',
      path: '/headers',
      headers: [host, ...manyHeaders],
      subjects: everyone,
      atMost: 1.2,
    },
    { ...small, name: 'POST 1 KB', script: post, subjects: everyone, atMost: 1.2 },
    // A third of the requests of other cases: what runs for each is compiled that much later.
    { ...small, name: 'POST 100 KB', script: upload, subjects: everyone, warmUps: 6, atMost: 1.2 },
    {
      ...small,
      name: '100 KB response',
      path: '/large',
      bodyBytes: largeBytes,
      subjects: everyone,
      warmUps: 6,
      atMost: 1,
    },
    {
      ...small,
      name: 'connection per request',
      headers: [host, 'Connection: close'],
      closes: true,
      subjects: everyoneAndBare,
      // A tenth of the requests of other cases: what runs once for a connection is compiled that much later.
      warmUps: 8,
      atMost: 1.4,
    },
    { ...small, name: 'small GET, Express router', subjects: ['Swarmgate, Express router', 'HAProxy'], atMost: 3.5 },
    {
      ...small,
      name: 'small GET, access log on',
      subjects: ['Swarmgate, access log', 'HAProxy, access log'],
      atMost: 1.6,
    },
    {
      ...small,
      name: 'small GET, numbers of services (× uncounted)',
      subjects: ['Swarmgate, uncounted', 'Swarmgate'],
      baseline: 'Swarmgate, uncounted',
      processes: 3,
      warmUps: 5,
      atMost: 1.03,
    },
    {
      ...small,
      name: 'small GET, traces at 1 % (× without)',
      subjects: ['Swarmgate', 'Swarmgate, traces at 1 %'],
      baseline: 'Swarmgate',
      processes: 3,
      // What runs for one request in a hundred is compiled a hundred times later.
      warmUps: 8,
      atMost: 1.05,
    },
    {
      ...small,
      name: 'small GET, another route has a plug-in (× without)',
      subjects: ['Swarmgate', 'Swarmgate, plug-ins of others'],
      baseline: 'Swarmgate',
      atMost: 1.03,
    },
    {
      ...small,
      name: 'small GET, a plug-in that passes it on (× Express router)',
      subjects: ['Swarmgate, Express router', 'Swarmgate, a plug-in'],
      baseline: 'Swarmgate, Express router',
      atMost: 1.6,
    },
    {
      ...small,
      name: 'small GET, stripPrefix, headers, rateLimit (× without)',
      path: '/v1/',
      subjects: ['Swarmgate', 'Swarmgate, middlewares'],
      baseline: 'Swarmgate',
      // More code than the plain route's has to be compiled before it is done.
      warmUps: 4,
      atMost: 1.25,
    },
    {
      ...small,
      name: 'small GET, two workers (× one worker)',
      connections: 256,
      subjects: ['Swarmgate, one worker', 'Swarmgate, two workers'],
      baseline: 'Swarmgate, one worker',
      // Each of two workers sees half of the requests that its compiler has to see before it is done.
      warmUps: 4,
      atMost: 1.2,
    },
    { ...small, name: 'small GET, TLS', secure: true, subjects: overTls, atMost: 1.1 },
    ...(['full', 'resumed'] as const).map(
      (handshakes): BenchCase => ({
        ...small,
        handshakes,
        name: `TLS handshakes, ${handshakes}`,
        secure: true,
        subjects: overTls,
        // As for a connection for each request.
        warmUps: 8,
        atMost: 1.3,
      }),
    ),
    ...[
      { connections: 32, streams: 1, atMost: 1.4 },
      { connections: 8, streams: 16, atMost: 1.3 },
      { connections: 2, streams: 100, atMost: 1.3 },
    ].map(
      (shape): BenchCase => ({
        ...small,
        ...shape,
        name: `small GET, HTTP/2, ${shape.connections} connections × ${shape.streams} streams`,
        subjects: ['Swarmgate', 'HAProxy, HTTP/2', 'nginx, HTTP/2', 'Caddy'],
        baseline: 'HAProxy, HTTP/2',
        warmUps: 3,
      }),
    ),
    {
      ...small,
      name: 'small GET, HTTP/2, two workers, 8 connections × 16 streams (× one worker)',
      connections: 8,
      streams: 16,
      subjects: ['Swarmgate, one worker', 'Swarmgate, two workers'],
      baseline: 'Swarmgate, one worker',
      warmUps: 4,
      atMost: 1.2,
    },
    {
      ...small,
      name: 'small GET, HTTP/2 in, h2c out, 8 connections × 16 streams',
      connections: 8,
      streams: 16,
      subjects: ['Swarmgate, h2c out', 'HAProxy, HTTP/2, h2c out'],
      baseline: 'HAProxy, HTTP/2, h2c out',
      warmUps: 3,
      atMost: 1.5,
    },
    ...[
      { name: 'small GET, HTTP/2 over TLS, 8 connections × 16 streams', atMost: 1.3 },
      {
        name: '100 KB response, HTTP/2 over TLS, 8 connections × 16 streams',
        path: '/large',
        bodyBytes: largeBytes,
        atMost: 1.2,
      },
    ].map(
      (of): BenchCase => ({
        ...small,
        ...of,
        connections: 8,
        streams: 16,
        secure: true,
        subjects: ['Swarmgate, TLS', 'HAProxy, HTTP/2 over TLS'],
        baseline: 'HAProxy, HTTP/2 over TLS',
        warmUps: 3,
      }),
    ),
  ]);
}
