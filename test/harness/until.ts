export { type UntilOptions, until } from '@swarmgate/runtime/testing';
