import { readFileSync } from 'node:fs';

/** What the images set for the allocator of glibc, so that memory is measured as it is in them. */
export function allocatorSettings(): Readonly<Record<string, string>> {
  const dockerfile = readFileSync(new URL('../../../docker/Dockerfile', import.meta.url), 'utf8');
  return Object.fromEntries(
    [...dockerfile.matchAll(/\b(MALLOC_[A-Z_]+)=(\S+)/g)].map(([, name, value]) => [name, value]),
  );
}
