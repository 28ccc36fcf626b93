// What reads Traefik's labels and files, with readers of YAML and TOML: a proxy needs none of it.
export { type BoundedYaml, readYaml, type YamlFault, yamlBounds } from './traefik/bounded-yaml.ts';
export { type Constraint, readConstraint } from './traefik/constraints.ts';
export * from './traefik/dynamic-file.ts';
export { type DynamicFile, dynamicFileName } from './traefik/dynamic-parts.ts';
export { type EntrypointOptions, readEntrypointOptions } from './traefik/entrypoint-options.ts';
export { entrypointsName } from './traefik/entrypoint-redirects.ts';
export * from './traefik/label-keys.ts';
export * from './traefik/network.ts';
export { type ReadLabels, readTraefikLabels } from './traefik/read-labels.ts';
export { readTraefikArgs, type TraefikArgs, traefikLines } from './traefik/traefik-args.ts';
export * from './traefik/traefik-options.ts';
export * from './traefik/translate-traefik.ts';
