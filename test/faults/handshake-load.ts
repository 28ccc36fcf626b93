import { connect } from 'node:tls';

export interface Handshake {
  readonly atMs: number;
  readonly host: string;
  readonly port: number;
  readonly serial: string;
}

export interface HandshakeLoad {
  /** Completed ones, in their order. */
  readonly seen: readonly Handshake[];
  /** Messages of those that failed. */
  readonly failures: readonly string[];
  /** Ends it; returns how many were completed a second. */
  stop(): Promise<number>;
}

/** A machine that is too busy for the rate gets fewer, not more and more at once. */
const mostOpen = 100;

/** 200 full handshakes a second, none of them resumed, at the ports in turn, each with the hosts in turn. */
export function startHandshakes(ports: readonly number[], hosts: readonly string[]): HandshakeLoad {
  const seen: Handshake[] = [];
  const failures: string[] = [];
  let isOver = false;
  const shake = (port: number, host: string) =>
    new Promise<void>((resolve) => {
      const socket = connect({ port, host: '127.0.0.1', servername: host, rejectUnauthorized: false });
      socket.setTimeout(10_000, () => socket.destroy(new Error('timeout')));
      socket.once('secureConnect', () => {
        seen.push({ atMs: performance.now(), host, port, serial: socket.getPeerCertificate().serialNumber });
        socket.destroy();
        resolve();
      });
      socket.once('error', (error) => {
        failures.push(`${host}: ${error.message}`);
        resolve();
      });
    });
  const done = (async () => {
    const began = performance.now();
    const open = new Set<Promise<void>>();
    for (let n = 0; !isOver; n += 1) {
      if (open.size >= mostOpen) await Promise.race(open);
      const port = ports[n % ports.length] ?? 0;
      const one = shake(port, hosts[Math.floor(n / ports.length) % hosts.length] ?? '');
      open.add(one);
      void one.then(() => open.delete(one));
      const dueMs = began + n * 5;
      const leftMs = dueMs - performance.now();
      if (leftMs > 0) await new Promise((resolve) => setTimeout(resolve, leftMs));
    }
    await Promise.all(open);
    return (seen.length / (performance.now() - began)) * 1_000;
  })();
  return {
    seen,
    failures,
    stop: () => {
      isOver = true;
      return done;
    },
  };
}

/** How long after the first handshake with each new serial of a host the one before was still seen, in milliseconds. */
export function overlapsMs(seen: readonly Handshake[], host: string): readonly number[] {
  const ofHost = seen.filter((each) => each.host === host);
  const serials = [...new Set(ofHost.map(({ serial }) => serial))];
  return serials.slice(1).map((serial, at) => {
    const firstNewMs = ofHost.find((each) => each.serial === serial)?.atMs ?? 0;
    const lastOldMs = ofHost.findLast((each) => each.serial === serials[at])?.atMs ?? 0;
    return Math.max(0, Math.round(lastOldMs - firstNewMs));
  });
}
