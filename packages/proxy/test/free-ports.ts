import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

const lowest = 10_240;
// From here on Swarm publishes ports of its own choice.
const swarms = 30_000;
const given = new Set<number>();

/**
 * Ports without a listener, for parts that cannot report the port they got and for endpoints that refuse connections.
 * They lie below those that the kernel gives to connections and to `listen(0)`: one of these could be taken again before
 * its user opens it, and who dials one that is closed may even reach himself.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  const above = Math.min(kernelsOwn(), swarms);
  for (let tries = 0; ports.length < count; tries += 1) {
    if (tries > 1_000) throw new Error(`no free port between ${lowest} and ${above}`);
    const port = lowest + Math.floor(Math.random() * (above - lowest));
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    ports.push(port);
  }
  return ports;
}

export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}

/** The start of the kernel's ephemeral range; Linux's default if it cannot be read. */
function kernelsOwn(): number {
  try {
    const from = Number(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s/)[0]);
    if (from > lowest + 1_000) return from;
  } catch {
    // Not Linux: what is said below holds there too.
  }
  return 32_768;
}

/** On every address: a part may open it on all of them. */
async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const isOpen = new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, () => resolve(true));
  });
  if (!(await isOpen)) return false;
  server.close();
  await once(server, 'close');
  return true;
}
