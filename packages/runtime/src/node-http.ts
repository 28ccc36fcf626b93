/**
 * The values of node:http. An `import` of them would evaluate all that the module exports, and with `WebSocket` load a client of its own:
 * 4 MB and 40 ms in each process, and in each command. Types are imported as usual.
 */
export const nodeHttp = process.getBuiltinModule('node:http');
