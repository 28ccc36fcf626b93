import { finished, pipeline, Readable } from 'node:stream';
import type { Request, Response } from 'express';
import { codeOf, get, type Note, type ParityCase, post, watch } from './parity-rig.ts';

const ofRequest = ['end', 'aborted', 'close'];
const ofResponse = ['prefinish', 'finish', 'close'];
const half = 'POST /a HTTP/1.1\r\nHost: a.example\r\nContent-Length: 100\r\n\r\nhalf';
const halfChunked = 'POST /a HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n';
const closed = (notes: readonly string[]) => notes.some((note) => note.startsWith('response close'));
const bothClosed = (notes: readonly string[]) =>
  closed(notes) && notes.some((note) => note.startsWith('request close'));

function watchBoth(note: Note, request: Request, response: Response): void {
  watch(note, 'request', request, ofRequest);
  watch(note, 'response', response, ofResponse);
}

function states(note: Note, when: string, request: Request, response: Response): void {
  note(when, {
    headersSent: response.headersSent,
    ended: response.writableEnded,
    finished: response.writableFinished,
    destroyed: response.destroyed,
    closed: response.closed,
    errored: response.errored === null,
    aborted: request.aborted,
    readableEnded: request.readableEnded,
    readableAborted: request.readableAborted,
    requestDestroyed: request.destroyed,
  });
}

async function oneResponse(client: Parameters<ParityCase['client']>[0], sent: string, method?: string): Promise<void> {
  client.send(sent);
  await client.response(method);
}

/** Events and what the objects say of themselves at each of them. */
export const eventCases: readonly ParityCase[] = [
  {
    name: 'a GET responded at once',
    handlers: (note) => [
      (request, response) => {
        watchBoth(note, request, response);
        response.end('hello', () => note('ended'));
      },
    ],
    client: (client) => oneResponse(client, get()),
    until: bothClosed,
  },
  {
    name: 'the states of a response at each event',
    handlers: (note) => [
      (request, response) => {
        states(note, 'start', request, response);
        for (const event of ofResponse) response.on(event, () => states(note, event, request, response));
        response.write('hello');
        states(note, 'written', request, response);
        setImmediate(() => {
          response.end();
          note('after end', response.headersSent, response.writableEnded, response.destroyed);
        });
      },
    ],
    client: (client) => oneResponse(client, get()),
    until: (notes) => notes.some((note) => note.startsWith('close')),
  },
  {
    name: 'a body that is read, then responded',
    handlers: (note) => [
      (request, response) => {
        watchBoth(note, request, response);
        request.on('data', (bytes: Buffer) => note('data', bytes.toString()));
        request.on('end', () => {
          note('complete', request.complete);
          response.end('hello');
        });
      },
    ],
    client: (client) => oneResponse(client, post('the body')),
    until: bothClosed,
  },
  {
    name: 'a body that is read is closed before the response is made',
    handlers: (note) => [
      (request, response) => {
        watchBoth(note, request, response);
        request.on('close', () => setImmediate(() => response.end(String(request.destroyed))));
        request.resume();
      },
    ],
    client: (client) => oneResponse(client, post('the body')),
    until: bothClosed,
  },
  {
    name: 'a body that nothing reads',
    handlers: (note) => [
      (request, response) => {
        watch(note, 'request', request, ['close', 'aborted']);
        watch(note, 'response', response, ofResponse);
        response.end('hello');
      },
    ],
    client: (client) => oneResponse(client, post('the body')),
    until: bothClosed,
  },
  ...[
    ['whose length is announced', half],
    ['in chunks', halfChunked],
  ].map(
    ([how, sent]): ParityCase => ({
      name: `a client that leaves in the middle of a body ${how}`,
      handlers: (note) => [
        (request, response) => {
          watchBoth(note, request, response);
          watch(note, 'request', request, ['error']);
          request.on('data', (bytes: Buffer) => note('data', bytes.toString()));
          request.on('close', () => states(note, 'state', request, response));
          request.on('close', () => note('complete', request.complete));
        },
      ],
      client: async (client) => {
        client.send(sent as string);
        await client.noted('data half');
        client.leave();
      },
      until: bothClosed,
    }),
  ),
  {
    name: 'a client that leaves in the middle of a body that nothing reads',
    handlers: (note) => [
      (request, response) => {
        note('begun');
        watchBoth(note, request, response);
        watch(note, 'request', request, ['error']);
      },
    ],
    client: async (client) => {
      client.send(half);
      await client.noted('begun');
      client.leave();
    },
    until: bothClosed,
  },
  {
    name: 'a client that leaves in the middle of a body, without a listener for errors',
    handlers: (note) => [
      (request, response) => {
        request.on('data', (bytes: Buffer) => note('data', bytes.toString()));
        watch(note, 'request', request, ['end', 'close']);
        watch(note, 'response', response, ofResponse);
      },
    ],
    client: async (client) => {
      client.send(half);
      await client.noted('data half');
      client.leave();
    },
    until: bothClosed,
  },
  {
    name: 'a client that leaves before its response',
    handlers: (note) => [
      (request, response) => {
        note('begun');
        watchBoth(note, request, response);
        watch(note, 'socket', request.socket, ['close']);
        response.on('close', () => states(note, 'state', request, response));
      },
    ],
    client: async (client) => {
      client.send(get());
      await client.noted('begun');
      client.leave();
    },
    until: bothClosed,
  },
  {
    name: 'a client that leaves in the middle of a response',
    handlers: (note) => [
      (request, response) => {
        watchBoth(note, request, response);
        response.on('close', () => {
          states(note, 'state', request, response);
          note(
            'write',
            response.write('more', (error) => note('written', codeOf(error))),
          );
          response.end(() => note('ended'));
          note('ended', response.writableEnded, response.writableFinished);
        });
        response.write('hello');
      },
    ],
    client: async (client) => {
      client.send(get());
      await client.has('hello');
      client.leave();
    },
    until: (notes) => bothClosed(notes) && notes.some((note) => note.startsWith('written')),
  },
  {
    name: 'a client that leaves after its body was read',
    handlers: (note) => [
      (request, response) => {
        watchBoth(note, request, response);
        watch(note, 'request', request, ['error']);
        request.on('end', () => setImmediate(() => note('read')));
        request.resume();
      },
    ],
    client: async (client) => {
      client.send(post('body'));
      await client.noted('read');
      client.leave();
    },
    until: bothClosed,
  },
  {
    name: 'finished() of both sides where the client leaves',
    handlers: (note) => [
      (request, response) => {
        finished(request, (error) => note('request finished', codeOf(error)));
        finished(response, (error) => note('response finished', codeOf(error)));
        request.on('data', () => note('data'));
      },
    ],
    client: async (client) => {
      client.send(half);
      await client.noted('data');
      client.leave();
    },
    until: (notes) => notes.length === 3,
  },
  {
    name: 'finished() of both sides in good order',
    handlers: (note) => [
      (request, response) => {
        finished(request, (error) => note('request finished', codeOf(error)));
        finished(response, (error) => note('response finished', codeOf(error)));
        request.resume();
        request.on('end', () => response.end('hello'));
      },
    ],
    client: (client) => oneResponse(client, post('body')),
    until: (notes) => notes.length === 2,
  },
  {
    name: 'the signal of a request aborts when its client leaves',
    handlers: (note) => [
      (request) => {
        const { signal } = request as unknown as { readonly signal: AbortSignal };
        signal.addEventListener('abort', () => note('abort'));
        note('begun', signal.aborted);
      },
    ],
    client: async (client) => {
      client.send(get());
      await client.noted('begun false');
      client.leave();
    },
    until: (notes) => notes.includes('abort'),
  },
  {
    name: 'pipeline() from a body to its response',
    handlers: (note) => [
      (request, response) => {
        watch(note, 'response', response, ['pipe', 'unpipe', 'finish', 'close']);
        pipeline(request, response, (error) => note('piped', codeOf(error)));
      },
    ],
    client: (client) => oneResponse(client, post('the body')),
    until: (notes) => closed(notes) && notes.some((note) => note.startsWith('piped')),
  },
  {
    name: 'pipeline() to a client that leaves',
    handlers: (note) => [
      (_request, response) => {
        let sent = 0;
        const endless = new Readable({
          read() {
            sent += 1;
            setImmediate(() => this.push(sent === 1 ? 'first' : 'x'.repeat(1000)));
          },
        });
        pipeline(endless, response, (error) => note('piped', codeOf(error), endless.destroyed));
      },
    ],
    client: async (client) => {
      client.send(get());
      await client.has('first');
      client.leave();
    },
    until: (notes) => notes.length === 1,
  },
  {
    name: 'pipe() of a body to its response',
    handlers: (note) => [
      (request, response) => {
        watch(note, 'response', response, ['pipe', 'unpipe', ...ofResponse]);
        request.pipe(response);
      },
    ],
    client: (client) => oneResponse(client, post('the body')),
    until: closed,
  },
];
