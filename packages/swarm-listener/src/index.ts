export { type Listener, type ListenerOptions, type ListenerStatus, startListener } from './listener.ts';
