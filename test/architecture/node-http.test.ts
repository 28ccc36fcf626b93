import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { root } from './imports.ts';
import { allowedOfNodeHttp, takenOfNodeHttp } from './node-http.ts';

const folder = join(root, 'packages/proxy/src');

describe('Node’s own HTTP servers', () => {
  const files = globSync('{server,exchange,express}/**/*.ts', { cwd: folder }).filter(
    (file) => !file.endsWith('.test.ts'),
  );
  const takenBy = Object.fromEntries(
    files
      .map((file) => [file, takenOfNodeHttp(readFileSync(join(folder, file), 'utf8'))] as const)
      .filter(([, names]) => names.length > 0),
  );

  it('serve no client of an entrypoint: server, exchange and express take only what the list allows', () => {
    expect(files.length).to.be.greaterThan(60);
    const allowed = Object.entries(allowedOfNodeHttp).map(([file, [names]]) => [file, [...names].sort()] as const);
    expect(takenBy).to.deep.equal(Object.fromEntries(allowed));
  });

  it('are on no list', () => {
    const listed = Object.values(allowedOfNodeHttp).flatMap(([names]) => names);
    expect(listed.filter((name) => /server$|^\*$/i.test(name))).to.deep.equal([]);
  });

  const cases: readonly (readonly [source: string, names: readonly string[]])[] = [
    ["import { createServer } from 'node:http';", ['createServer']],
    ["import { createServer as make, type Server } from 'node:https';", ['Server', 'createServer']],
    ["import type { IncomingMessage } from 'http';", ['IncomingMessage']],
    ["import {\n  STATUS_CODES,\n  createServer,\n} from 'node:http';", ['STATUS_CODES', 'createServer']],
    ["import { createSecureServer } from 'node:http2';", ['createSecureServer']],
    ["import http from 'node:http';", ['*']],
    ["import http, { STATUS_CODES } from 'node:http';", ['*', 'STATUS_CODES']],
    ["import * as http from 'node:http';", ['*']],
    ["export { createServer } from 'node:http';", ['*', 'createServer']],
    ["export * from 'node:http';", ['*']],
    ["const http = await import('node:http');", ['*']],
    ["const http = process.getBuiltinModule('node:http');", ['*']],
    ["import { nodeHttp } from '@swarmgate/runtime';\nnodeHttp.createServer();", ['createServer']],
    ["import { nodeHttp } from '@swarmgate/runtime';\nconst { createServer } = nodeHttp;", ['*']],
    ["import { createServer } from 'node:net';\nimport { x } from './http.ts';", []],
  ];
  for (const [source, names] of cases)
    it(`are found in ${JSON.stringify(source)}`, () => {
      expect(takenOfNodeHttp(source)).to.deep.equal([...names].sort());
    });

  it('are imported for their types only, because an import of the values loads a client of its own', () => {
    const sources = globSync('packages/{runtime,labels,registry,acme,proxy,swarm-listener,cli}/src/**/*.ts', {
      cwd: root,
    });
    const importing = sources.filter(
      (file) =>
        !file.endsWith('.test.ts') &&
        // Loaded only with `CONSUL_UI_PORT`.
        !file.includes('/consul-ui/') &&
        /^import (?!type\b)[^;]*from 'node:http';$/m.test(readFileSync(join(root, file), 'utf8')),
    );
    expect(sources.length).to.be.greaterThan(300);
    expect(importing).to.deep.equal([]);
  });
});
