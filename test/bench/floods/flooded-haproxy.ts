import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../../packages/proxy/test/free-ports.ts';
import { testCertificate } from '../../../packages/proxy/test/test-certificate.ts';
import { until } from '../../../packages/proxy/test/until.ts';
import { cpuMicroseconds } from '../forwarding/process-tree.ts';
import type { EndpointPorts } from './flood-endpoint.ts';
import type { FloodPorts, ProxyReport } from './flooded-proxy.ts';

// HAProxy in the place of the flooded proxy, with one thread, on its core: what of a time is not the proxy's own. It has no admin port.
// Arguments and orders are those of flooded-proxy.ts.
const [ofFlood, ofProbe] = process.argv.slice(2).map((text) => JSON.parse(text) as EndpointPorts);
if (ofFlood === undefined || ofProbe === undefined) throw new Error('two endpoints are needed');
const [plain = 0, secure = 0, relay = 0, probeRelay = 0, named = 0] = await freePorts(5);
const directory = mkdtempSync(join(tmpdir(), 'swarmgate-floods-'));
const pem = join(directory, 'own.pem');
writeFileSync(pem, (await testCertificate(['flood.example', 'probe.example'])).pem);
const file = join(directory, 'haproxy.cfg');
writeFileSync(
  file,
  `global
  nbthread 1
  maxconn 8000
defaults
  mode http
  timeout connect 5s
  timeout client 20s
  timeout server 20s
  timeout tunnel 3600s
  timeout http-request 5s
  timeout http-keep-alive 15s
  http-reuse always
frontend requests
  bind 127.0.0.1:${plain}
  bind 127.0.0.1:${secure} ssl crt ${pem} alpn http/1.1
  option forwardfor
  use_backend flood if { hdr(host) flood.example shop.example }
  use_backend probe if { hdr(host) probe.example }
backend flood
  server one 127.0.0.1:${ofFlood.http}
backend probe
  server one 127.0.0.1:${ofProbe.http}
listen relay
  mode tcp
  bind 127.0.0.1:${relay}
  server one 127.0.0.1:${ofFlood.raw}
listen probe-relay
  mode tcp
  bind 127.0.0.1:${probeRelay}
  server one 127.0.0.1:${ofProbe.raw}
listen named
  mode tcp
  bind 127.0.0.1:${named}
  tcp-request inspect-delay 5s
  tcp-request content reject if !{ req.ssl_sni -i relayed.example }
  server one 127.0.0.1:${ofFlood.raw}
`,
);
const proxy: ChildProcess = spawn('haproxy', ['-db', '-q', '-f', file], { stdio: ['ignore', 'inherit', 'inherit'] });
const pid = proxy.pid ?? 0;
const opens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
await until(() => opens(plain), 'HAProxy accepts connections');

let cpu = cpuMicroseconds(pid);
process.on('message', () => {
  const now = cpuMicroseconds(pid);
  process.send?.({
    cpuMs: (now - cpu) / 1_000,
    turns: { p99: 0, max: 0 },
    longestCollectionMs: 0,
    liveBytes: 0,
  } satisfies ProxyReport);
  cpu = now;
});
process.once('disconnect', () => {
  proxy.once('exit', () => {
    rmSync(directory, { recursive: true, force: true });
    process.exit(0);
  });
  proxy.kill('SIGKILL');
});
process.send?.({ plain, secure, relay, probeRelay, named, admin: 0, pid } satisfies FloodPorts);
