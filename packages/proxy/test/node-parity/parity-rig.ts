import type { EventEmitter } from 'node:events';
import { createServer } from 'node:http';
import express, { type RequestHandler } from 'express';
import { mount } from '../../src/express/express-objects.ts';
import { onStage } from '../conformance/suite.ts';
import { RawClient, type ReceivedResponse } from '../raw-client.ts';
import { until } from '../until.ts';
import { withPlugins } from '../with-plugins.ts';

/** Takes down what a handler saw. */
export type Note = (...what: readonly unknown[]) => void;

/** One small Express middleware and its client, for a server of node:http and for the proxy's. */
export interface ParityCase {
  readonly name: string;
  readonly handlers: (note: Note) => readonly RequestHandler[];
  /** Sends, reads and leaves. */
  readonly client: (client: ParityClient) => Promise<void>;
  /** The case is over when the handler has noted so much beside what the client does. */
  readonly until?: (notes: readonly string[]) => boolean;
}

export interface ParityClient {
  send(text: string): void;
  /** As `send`, of bytes that are characters of latin1. */
  sendBytes(latin1: string): void;
  /** Reads one response, which counts as seen. */
  response(method?: string): Promise<ReceivedResponse>;
  /** Waits for bytes on the wire. */
  has(text: string): Promise<void>;
  /** Waits until the handlers have noted this. */
  noted(what: string): Promise<void>;
  /** Waits for the other side to close. */
  closed(): Promise<void>;
  leave(): void;
}

/** What both sides of a case saw. */
export interface ParityOutcome {
  readonly notes: readonly string[];
  readonly seen: readonly unknown[];
}

export function onNode(parity: ParityCase): Promise<ParityOutcome> {
  const notes: string[] = [];
  const app = express();
  app.disable('x-powered-by').disable('etag').disable('query parser');
  app.use(...parity.handlers(noteIn(notes)));
  const server = createServer(app);
  return new Promise((resolve, reject) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      play(parity, port, notes)
        .then(resolve, reject)
        .finally(() => {
          server.closeAllConnections();
          server.close();
        });
    });
  });
}

export async function onProxy(parity: ParityCase): Promise<ParityOutcome> {
  const notes: string[] = [];
  const handlers = parity.handlers(noteIn(notes));
  for (const each of handlers) mount(each);
  let outcome: ParityOutcome | undefined;
  await onStage(withPlugins(...handlers), async ({ rig }) => {
    outcome = await play(parity, rig.port, notes);
  });
  return outcome as ParityOutcome;
}

async function play(parity: ParityCase, port: number, notes: string[]): Promise<ParityOutcome> {
  const raw = new RawClient(port);
  const seen: unknown[] = [];
  try {
    await parity.client({
      sendBytes: (latin1) => raw.send(latin1),
      send: (text) => raw.send(Buffer.from(text).toString('latin1')),
      async response(method) {
        const response = await raw.response(method);
        seen.push(shapeOf(response));
        return response;
      },
      has: (text) => until(() => raw.received.includes(text), `the client to have ${text}`),
      noted: (what) => until(() => notes.includes(what), `the note ${what} among ${notes.join(' | ')}`),
      closed: () => raw.end(),
      leave: () => raw.socket.resetAndDestroy(),
    });
    await until(() => parity.until?.(notes) ?? true, `the last note; so far: ${notes.join(' | ')}`);
    // What is not awaited by name still shows, where it comes at all: events of the next turns.
    for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    return { notes: [...notes], seen };
  } finally {
    raw.destroy();
  }
}

/** Fields of the connection and the time differ between any two servers. */
const apart = new Set(['connection', 'keep-alive']);

function shapeOf({ status, reason, headers, body, trailers, chunked }: ReceivedResponse) {
  const fields: string[] = [];
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] as string;
    if (apart.has(name.toLowerCase())) continue;
    fields.push(`${name}: ${name === 'Date' ? '*' : headers[at + 1]}`);
  }
  return { status, reason, fields: fields.sort(), body, trailers, chunked };
}

function noteIn(notes: string[]): Note {
  return (...what) => {
    notes.push(what.map((each) => (typeof each === 'string' ? each : JSON.stringify(each))).join(' '));
  };
}

/** Notes events as they come. A listener for `error` or `data` changes what a stream does: name them with care. */
export function watch(note: Note, name: string, emitter: EventEmitter, events: readonly string[]): void {
  for (const event of events)
    emitter.on(event, (argument: unknown) =>
      note(name, event, ...(event === 'error' && argument instanceof Error ? [codeOf(argument)] : [])),
    );
}

export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}

/** The code of what it throws. */
export function thrown(act: () => unknown): string {
  try {
    act();
    return 'nothing';
  } catch (error) {
    return codeOf(error);
  }
}

export const get = (more = '', path = '/a?b=1') => `GET ${path} HTTP/1.1\r\nHost: a.example\r\n${more}\r\n`;

export const post = (body: string, more = '') =>
  `POST /a HTTP/1.1\r\nHost: a.example\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${more}\r\n${body}`;
