export { type Agent, type AgentOptions, startAgent } from './agent.ts';
export * from './labels.ts';
export { type Listener, type ListenerOptions, type ListenerStatus, startListener } from './listener.ts';
export { connectSwarm } from './swarm/swarm-client.ts';
