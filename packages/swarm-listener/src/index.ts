export { type Agent, type AgentOptions, startAgent } from './agent.ts';
export { isSelected, type NamingOptions, parametersOf, publishedName } from './labels/service-parameters.ts';
export { type Listener, type ListenerOptions, type ListenerStatus, startListener } from './listener.ts';
export type { SwarmService } from './swarm/swarm-objects.ts';
