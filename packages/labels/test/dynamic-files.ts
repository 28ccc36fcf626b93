import { readDynamicFile } from '../src/traefik/dynamic-file.ts';
import type { DynamicFile } from '../src/traefik/dynamic-parts.ts';
import { readTraefikLabels } from '../src/traefik/read-labels.ts';
import type { TraefikService } from '../src/traefik/traefik-options.ts';
import { translateTraefik } from '../src/traefik/translate-traefik.ts';

/** @throws Error with the problem of a file that cannot be read */
export function fileOf(text: string): DynamicFile {
  const read = readDynamicFile(text, 'dynamic.yml');
  if (!read.ok) throw new Error(read.problem.message);
  return read.file;
}

/** A service of the Swarm. */
export function service(id: string, labels: Readonly<Record<string, string>>): TraefikService {
  return { id, name: id, createdAt: '2026', labels, read: readTraefikLabels(labels), targetPorts: [] };
}

/** Services of the Swarm and the file, translated together. */
export function translated(text: string, ...services: readonly TraefikService[]) {
  const { service: ofFile, closesTls } = fileOf(text);
  const entrypoints = new Map([
    ['web', ['plain']],
    ['websecure', ['ssl']],
  ]);
  const options = {
    exposedByDefault: true,
    entrypoints,
    defaultRule: 'Host(`x`)',
    ...(closesTls === undefined ? {} : { closesTls }),
  };
  return translateTraefik([...services, ofFile], options, 0);
}
