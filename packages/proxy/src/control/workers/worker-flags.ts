/**
 * Flags of V8 for processes that serve. A young generation of 2 MB hands too much to the old one at 256 connections, which then costs
 * more time and memory; 16 MB, the default, take memory and save no time. A worker collects its garbage itself once,
 * before its ports open. One thread helps V8: the four of the default share a core with the one that serves, which then
 * waits for 16 ms and more while they mark the heap.
 */
export const workerFlags: readonly string[] = ['--max-semi-space-size=4', '--expose-gc', '--v8-pool-size=1'];
