export { boundPipelining, type CallPatience, callPatience, endInTime, longestCallMs } from './bounded-calls.ts';
export { boundConnections, boundHandshakes } from './bounded-connections.ts';
export { readJson, readText } from './read-body.ts';
export { endUnreadBodies } from './unread-body.ts';
