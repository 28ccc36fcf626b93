import { request as requestPlain } from 'node:http';
import { connect } from 'node:http2';
import { request as requestSecure } from 'node:https';
import { type BenchCase, benchHost } from './cases.ts';
import type { Subject } from './subjects.ts';

/** A proxy, or the service behind them. */
type Validated = Pick<Subject, 'port' | 'secure'> & { readonly name: string };

/** Checks one response, so that no proxy is timed for wrong responses. @throws Error naming the difference. */
export function validate(subject: Validated, of: BenchCase): Promise<void> {
  if (of.streams !== undefined) return validateHttp2(subject, of);
  const headers: Record<string, string> = { Host: benchHost };
  for (const line of of.headers) headers[line.slice(0, line.indexOf(':'))] = line.slice(line.indexOf(':') + 2);
  const posts = of.script !== undefined;
  const request = subject.secure ? requestSecure : requestPlain;
  return new Promise((resolve, reject) => {
    const wrong = (what: string) => reject(new Error(`${subject.name}, ${of.name}: ${what}`));
    const requested = request(
      {
        host: '127.0.0.1',
        port: subject.port,
        path: of.path,
        method: posts ? 'POST' : 'GET',
        headers,
        rejectUnauthorized: false,
        agent: false,
      },
      (response) => {
        let bytes = 0;
        response.on('data', (piece: Buffer) => {
          bytes += piece.length;
        });
        response.on('end', () => {
          if (response.statusCode !== 200) wrong(`status ${response.statusCode}`);
          else if (bytes !== of.bodyBytes) wrong(`${bytes} bytes instead of ${of.bodyBytes}`);
          else resolve();
        });
        response.on('error', reject);
      },
    );
    requested.setTimeout(5_000, () => requested.destroy(new Error(`${subject.name} does not respond`)));
    requested.on('error', reject);
    requested.end(posts ? 'x'.repeat(1_024) : undefined);
  });
}

function validateHttp2(subject: Validated, of: BenchCase): Promise<void> {
  const session = connect(`${subject.secure ? 'https' : 'http'}://127.0.0.1:${subject.port}`, {
    rejectUnauthorized: false,
  });
  return new Promise<void>((resolve, reject) => {
    const wrong = (what: string) => reject(new Error(`${subject.name}, ${of.name}: ${what}`));
    session.on('error', reject);
    const stream = session.request({ ':path': of.path, ':authority': benchHost });
    stream.setTimeout(5_000, () => wrong('no response'));
    let bytes = 0;
    let status = 0;
    stream.on('response', (head) => {
      status = Number(head[':status']);
    });
    stream.on('data', (piece: Buffer) => {
      bytes += piece.length;
    });
    stream.on('error', reject);
    stream.on('end', () => {
      if (status !== 200) wrong(`status ${status}`);
      else if (bytes !== of.bodyBytes) wrong(`${bytes} bytes instead of ${of.bodyBytes}`);
      else resolve();
    });
  }).finally(() => session.destroy());
}
