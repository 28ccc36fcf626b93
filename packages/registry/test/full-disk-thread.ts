// The thread of the embedded registry on a disk that is full while a file beside the registry's exists.
import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { workerData } from 'node:worker_threads';

const { exec } = DatabaseSync.prototype;
DatabaseSync.prototype.exec = function (sql) {
  if (sql === 'BEGIN IMMEDIATE' && existsSync(`${workerData.file}.full`)) throw new Error('database or disk is full');
  exec.call(this, sql);
};
await import('../src/store/embedded-thread.ts');
