/** How labels of services are read: what `swarmgate check` needs of this package, without its connections. */
export { type Families, familiesOf } from './labels/label-families.ts';
export { isSelected, type NamingOptions, parametersOf, publishedName } from './labels/service-parameters.ts';
export { traefikServicesIn, withFlags } from './labels/traefik-flags.ts';
export { traefikServiceOf } from './labels/traefik-services.ts';
export { traefikDefinition } from './labels/translate-traefik-service.ts';
export { isTraefikImage } from './swarm/parse-objects.ts';
export type { SwarmService, TraefikProcess } from './swarm/swarm-objects.ts';
export { readTraefikFiles } from './traefik-files.ts';
