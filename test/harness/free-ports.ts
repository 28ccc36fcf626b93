// The suites beside the packages use the same ports: each is given once.
export { freePort, freePorts } from '../../packages/proxy/test/free-ports.ts';
