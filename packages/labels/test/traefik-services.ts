import { readTraefikLabels } from '../src/traefik/read-labels.ts';
import type { TraefikOptions, TraefikService } from '../src/traefik/traefik-options.ts';
import { type TraefikTranslation, translateTraefik } from '../src/traefik/translate-traefik.ts';

export const options: TraefikOptions = {
  exposedByDefault: false,
  entrypoints: new Map([
    ['web', ['plain']],
    ['websecure', ['ssl']],
    ['admin', ['8000']],
    ['db', ['5432']],
  ]),
  defaultRule: 'Host(`{{ normalize .Name }}`)',
  issuers: ['letsencrypt'],
};

export type Labels = Readonly<Record<string, string>>;

export function service(name: string, labels: Labels, more: Partial<TraefikService> = {}): TraefikService {
  return {
    id: name,
    name: `shop_${name}`,
    createdAt: `2026-01-01T00:00:00Z ${name}`,
    labels,
    read: readTraefikLabels(labels),
    targetPorts: [],
    ...more,
  };
}

/** Labels without `traefik.http.`. */
export function http(labels: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).map(([key, value]) => [`traefik.http.${key}`, value]));
}

export function translated(services: readonly TraefikService[]): ReadonlyMap<string, TraefikTranslation> {
  return translateTraefik(services, options, 7);
}

export function one(labels: Labels, more: Partial<TraefikService> = {}): TraefikTranslation {
  const translation = translated([service('web', http(labels), more)]).get('web');
  if (translation === undefined) throw new Error('there is no translation');
  return translation;
}

export const port = { 'services.web.loadbalancer.server.port': '80' };
export const router = { 'routers.web.rule': 'Host(`a.example`)', ...port };
