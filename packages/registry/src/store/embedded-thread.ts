import { constants, getPriority, setPriority } from 'node:os';
import { type MessagePort, workerData } from 'node:worker_threads';
import type { Opened, TableCall, TableReply } from './embedded-table.ts';
import { RecoveringDatabase } from './recovering-database.ts';

/** By so much a system prefers other threads: of a core that both need this one gets a tenth. */
const niceness = 10;

/** The thread of the embedded registry: opens its file, then responds to one call after the other. */
const { file, port, opened } = workerData as {
  readonly file: string;
  readonly port: MessagePort;
  /** Set to 1 when the result of opening is in the port. */
  readonly opened: Int32Array;
};

/**
 * Requests go before changes where they share a core: the thread that serves them would wait for up to 10 ms. On Linux a priority is
 * that of the calling thread; elsewhere it would be the whole process's.
 */
function yieldCore(): void {
  if (process.platform !== 'linux') return;
  try {
    setPriority(Math.min(constants.priority.PRIORITY_LOW, getPriority() + niceness));
  } catch {
    // A sandbox may refuse the call; the registry works without it.
  }
}

function open(): RecoveringDatabase | undefined {
  let result: Opened;
  let database: RecoveringDatabase | undefined;
  try {
    database = new RecoveringDatabase(file);
    result = { ok: true, index: database.index, lockingSessions: database.lockingSessions() };
  } catch (error) {
    result = { ok: false, failure: failureOf(error) };
  }
  port.postMessage(result);
  Atomics.store(opened, 0, 1);
  Atomics.notify(opened, 0);
  return database;
}

function failureOf(error: unknown) {
  const message = error instanceof Error ? error.message : String(error);
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number'
    ? { message, errcode: error.errcode }
    : { message };
}

yieldCore();
const database = open();
if (database === undefined) port.close();
else
  port.on('message', ({ id, call }: TableCall) => {
    let reply: TableReply;
    try {
      const { value, changedKeys } = respond(database, call);
      reply = { id, index: database.index, ok: true, value, changedKeys };
    } catch (error) {
      reply = { id, index: database.index, ok: false, failure: failureOf(error) };
    }
    port.postMessage(reply);
    if (call.kind === 'close') port.close();
  });

function respond(
  table: RecoveringDatabase,
  call: TableCall['call'],
): { readonly value: unknown; readonly changedKeys: readonly string[] } {
  switch (call.kind) {
    case 'get':
      return { value: call.keys.map((key) => table.get(key)), changedKeys: [] };
    case 'list':
      return { value: table.list(call.prefix), changedKeys: [] };
    case 'names':
      return { value: table.names(call.prefix, call.separator), changedKeys: [] };
    case 'transact': {
      const { result, changedKeys } = table.transact(call.operations);
      return { value: result, changedKeys };
    }
    case 'open-session':
      table.openSession(call.session, call.behavior);
      return { value: undefined, changedKeys: [] };
    case 'end-session':
      return { value: undefined, changedKeys: table.endSession(call.session) };
    case 'close':
      table.close();
      return { value: undefined, changedKeys: [] };
  }
}
