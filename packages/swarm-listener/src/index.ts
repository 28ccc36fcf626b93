export { type Agent, type AgentOptions, startAgent } from './agent.ts';
export { type Families, familiesOf } from './labels/label-families.ts';
export { isSelected, type NamingOptions, parametersOf, publishedName } from './labels/service-parameters.ts';
export { traefikServiceOf } from './labels/traefik-services.ts';
export { traefikDefinition } from './labels/translate-traefik-service.ts';
export { type Listener, type ListenerOptions, type ListenerStatus, startListener } from './listener.ts';
export type { SwarmService } from './swarm/swarm-objects.ts';
