export { type CommandIo, processIo } from './io.ts';
export { main } from './main.ts';
