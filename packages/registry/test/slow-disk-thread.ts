// The thread of the embedded registry on a disk that takes 300 ms for a transaction.
import { EmbeddedDatabase } from '../src/store/embedded-database.ts';

const { transact } = EmbeddedDatabase.prototype;
EmbeddedDatabase.prototype.transact = function (operations) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
  return transact.call(this, operations);
};
await import('../src/store/embedded-thread.ts');
