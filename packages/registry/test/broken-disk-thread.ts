// The thread of the embedded registry on a disk that is broken while a file beside the registry's exists.
import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { workerData } from 'node:worker_threads';

const { exec } = DatabaseSync.prototype;
DatabaseSync.prototype.exec = function (sql) {
  if (this.location() !== null && existsSync(`${workerData.file}.broken`))
    throw Object.assign(new Error('disk I/O error'), { errcode: 778 });
  exec.call(this, sql);
};
await import('../src/store/embedded-thread.ts');
