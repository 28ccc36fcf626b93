import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-ports.ts';
import { until } from './until.ts';

/** BIND with one zone that takes updates signed with one key, on loopback. */
export interface RunningBind {
  /** `address:port`: also the one that a CA queries. */
  readonly address: string;
  readonly zone: string;
  /** `hmac-sha256:<name>:<secret>`, as `ACME_DNS_TSIG` takes it. */
  readonly tsig: string;
  /** TXT values of a name, as the server responds. */
  txt(name: string): Promise<readonly string[]>;
  remove(): Promise<void>;
}

/** Every name of the zone has the address 127.0.0.1. */
export async function startBind(zone: string): Promise<RunningBind> {
  const directory = await mkdtemp(join(tmpdir(), 'swarmgate-bind-'));
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const secret = randomBytes(32).toString('base64');
  const file = (name: string) => join(directory, name);
  await writeFile(
    file('zone'),
    // The name server cannot be found: it would be called at port 53.
    `$TTL 1\n@ IN SOA ns.nowhere.invalid. hostmaster 1 60 60 600 1\n@ IN NS ns.nowhere.invalid.\n@ IN A 127.0.0.1\n* IN A 127.0.0.1\n`,
  );
  await writeFile(
    file('named.conf'),
    `options { directory "${directory}"; listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; };
  recursion no; pid-file none; dnssec-validation no; session-keyfile "${file('session.key')}"; };
controls { };
key "acme" { algorithm hmac-sha256; secret "${secret}"; };
zone "${zone}" { type primary; file "${file('zone')}"; update-policy { grant acme subdomain ${zone}. TXT; }; };
`,
  );
  const child: ChildProcess = spawn('named', ['-g', '-c', file('named.conf')], { stdio: 'ignore' });
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  const exited = once(child, 'exit');
  const resolver = new Resolver({ timeout: 2_000, tries: 1 });
  resolver.setServers([address]);
  await until(`BIND responds at ${address}`, async () => (await resolver.resolve4(`www.${zone}`)).length > 0);
  return {
    address,
    zone,
    tsig: `hmac-sha256:acme:${secret}`,
    txt: async (name) => (await resolver.resolveTxt(name).catch(() => [])).map((parts) => parts.join('')),
    async remove() {
      process.off('exit', end);
      child.kill('SIGKILL');
      await exited;
      await rm(directory, { recursive: true, force: true });
    },
  };
}
