import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';

const sources = join(import.meta.dirname, '../src');

function filesWith(pattern: RegExp): string[] {
  return globSync('**/*.ts', { cwd: sources })
    .filter((file) => !file.endsWith('.test.ts') && pattern.test(readFileSync(join(sources, file), 'utf8')))
    .sort();
}

// Each of these rules protects only what passes through its place.
describe('One place in the sources', () => {
  it('opens connections to endpoints, so that none leads to the proxy itself', () => {
    const opens =
      /import \{[^}]*\b(connect|createConnection|request|get)\b[^}]*\} from 'node:(net|tls|http|https|http2)'/;
    // The exporter sends to the collector that the operator names, never to an endpoint of a service.
    expect(filesWith(opens)).to.deep.equal(['exchange/tracing/secure-posts.ts', 'transport/open-connection.ts']);
  });

  it('makes TLS contexts for clients, so that all check their certificates alike', () => {
    // A validation by tls-alpn-01 ends with its handshake: no request follows.
    expect(filesWith(/\bcreateSecureContext\b/)).to.deep.equal([
      'server/tls/challenge-handshakes.ts',
      'server/tls/client-context.ts',
    ]);
  });
});
