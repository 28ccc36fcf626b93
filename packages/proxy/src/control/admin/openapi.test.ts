import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { parse } from 'yaml';
import { adminRouters, methodsByPath, openRouters } from './admin-app.ts';
import type { AdminParts } from './admin-parts.ts';
import { openapiFile } from './openapi-route.ts';

interface Described {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly tags: readonly string[]; readonly responses: object }>>>
  >;
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

// Routers are only listed here, never called: nothing behind them is needed.
const parts = { follower: { served: {} }, settings: {}, changes: {}, server: {} } as unknown as AdminParts;

function mounted(): Set<string> {
  const paths = [...methodsByPath([...openRouters(parts), ...adminRouters(parts)])].filter(
    // The console's own files.
    ([path]) => path !== '/' && path !== '/icon.svg' && !path.startsWith('/assets/'),
  );
  return new Set(paths.flatMap(([path, methods]) => [...methods].map((method) => `${method.toLowerCase()} ${path}`)));
}

describe('docs/openapi.yaml', () => {
  const text = readFileSync(openapiFile, 'utf8');
  const described = parse(text, { merge: true }) as Described;

  it('describes every path that is mounted, and no other', () => {
    const documented = Object.entries(described.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    expect(documented.sort()).to.deep.equal([...mounted()].sort());
  });

  it('names the refusals of everything that requires a token', () => {
    for (const [path, methods] of Object.entries(described.paths))
      for (const [method, operation] of Object.entries(methods))
        if (path !== '/healthz' && path !== '/readyz' && path !== '/v1/session') {
          expect(operation, `${method} ${path}`).to.have.property('security');
          expect(Object.keys(operation.responses), `${method} ${path}`).to.include.members(['401', '403']);
          if (operation.tags.includes('change'))
            expect(Object.keys(operation.responses), `${method} ${path}`).to.include('503');
        }
  });

  it('refers to nothing that it does not hold', () => {
    for (const [, kind = '', name = ''] of text.matchAll(/#\/components\/(\w+)\/(\w+)/g))
      expect(described.components[kind], `${kind}/${name}`).to.have.property(name);
  });
});
