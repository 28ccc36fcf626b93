import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { pieceOf } from '../../exchange/client-side.ts';
import { localResponse } from '../../exchange/local-responses.ts';
import { ResponseWriter } from './response-writer.ts';

const hints = { status: 103, reason: '', sent: 'Link: </a>\r\n', headers: undefined };
const switching = { status: 101, reason: '', sent: '', headers: undefined };
const withBytes = { ...localResponse('no-route'), bytes: Buffer.from('bytes') };

describe('responses of HTTP/1.1 as they are written', () => {
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

  function rig() {
    const written: string[] = [];
    const socket = {
      destroyed: false,
      writableNeedDrain: false,
      writableLength: 0,
      write: (text: string | Uint8Array) => written.push(Buffer.from(text as string).toString('latin1')) > 0,
      cork: () => undefined,
      uncork: () => undefined,
      resetAndDestroy: () => written.push('reset'),
      destroy: () => written.push('destroy'),
      setNoDelay: (isOff: boolean) => written.push(`no delay: ${isOff}`),
    };
    const faults: unknown[] = [];
    const writer = new ResponseWriter(socket as unknown as Socket, {
      draining: false,
      done: true,
      onClogged: () => undefined,
      onLastWritten: () => written.push('last written'),
      onFault: (error) => faults.push(error),
    });
    /** A response with a body of this text, in one piece; it is written without the lines of its head. */
    const respond = (body: string, { persistent = true, complete = true } = {}) => {
      writer.begin('GET', false, persistent);
      const bytes = Buffer.from(body);
      const head = { status: 200, reason: 'OK', sent: '', headers: undefined };
      writer.head(head, 'length', false, pieceOf(bytes, 0, bytes.length, complete, '', ''));
    };
    const bodies = () =>
      written
        .filter((each) => !each.startsWith('no delay'))
        .map((text) => text.replaceAll(/HTTP\/1.1[\s\S]*?\r\n\r\n/g, ''));
    return { writer, socket, faults, respond, bodies, written };
  }

  it('leave at the end of the turn, those of one connection in one write', async () => {
    const { respond, bodies } = rig();
    respond('one ');
    respond('two');
    expect(bodies()).to.deep.equal([]);
    await turn();
    expect(bodies()).to.deep.equal(['one two']);
  });

  for (const [what, isTls] of [
    ['over TLS, which has all of it copied', true],
    ['over TCP, which has what is not taken at once copied', false],
  ] as const)
    it(`a long piece is given back at once ${what}`, () => {
      const below = new Socket();
      const written: Buffer[] = [];
      const socket: Socket = isTls ? new TLSSocket(below, { isServer: true }) : below;
      socket.write = ((bytes: Buffer) => written.push(bytes) > 1_000) as Socket['write'];
      Object.defineProperty(socket, 'writableLength', { value: 100_000 });
      const connection = {
        draining: false,
        done: true,
        onClogged: () => undefined,
        onLastWritten: () => undefined,
        onFault: () => undefined,
      };
      const writer = new ResponseWriter(socket, connection);
      writer.begin('GET', false, true);
      const read = Buffer.alloc(60_000, 'x');
      const inUse = writer.body(pieceOf(read, 0, read.length, false, '', ''));
      expect([writer.copiesBytes, inUse]).to.deep.equal([isTls ? 'all' : 'rest', false]);
      read.fill('y');
      expect(written.map((bytes) => bytes.toString('latin1', 0, 1))).to.deep.equal(['x']);
    });

  it('leave at once where more of them is to come', () => {
    const { respond, bodies } = rig();
    respond('part', { complete: false });
    expect(bodies()).to.deep.equal(['part']);
  });

  it('leave at the end of the turn where the connection ends behind them, and end it then', async () => {
    const { writer, respond, bodies } = rig();
    respond('last', { persistent: false });
    expect(writer.awaitsLast()).to.equal(true);
    expect(bodies()).to.deep.equal([]);
    await turn();
    expect(bodies()).to.deep.equal(['last', 'last written']);
  });

  it('end their connection also where the last of them cannot be written', async () => {
    const { writer, respond, bodies, socket, faults } = rig();
    respond('last', { persistent: false });
    writer.awaitsLast();
    const error = new Error('no');
    socket.write = () => {
      throw error;
    };
    await turn();
    expect(bodies()).to.deep.equal(['last written']);
    expect(faults).to.deep.equal([error]);
  });

  it('are not waited for where the last of them has left', () => {
    const { writer, respond } = rig();
    respond('first');
    respond('x'.repeat(20_000), { persistent: false });
    expect(writer.awaitsLast()).to.equal(false);
  });

  type Rig = ReturnType<typeof rig>;
  for (const [name, act, then] of [
    ['a response with more to come', ({ respond }: Rig) => respond('part', { complete: false }), ['part']],
    ['a large one', ({ respond }: Rig) => respond('x'.repeat(20_000)), ['x'.repeat(20_000)]],
    ['one of the proxy', ({ writer }: Rig) => writer.respond(localResponse('no-route')), undefined],
    ['the reset of the connection', ({ writer }: Rig) => writer.reset(), ['reset']],
    ['its orderly end', ({ writer }: Rig) => writer.flush(), []],
    ['a fault', ({ writer }: Rig) => writer.closeAfter(), []],
  ] as const)
    it(`leave before ${name}, and once`, async () => {
      const each = rig();
      each.respond('first');
      act(each);
      expect(each.bodies()[0]).to.equal('first');
      if (then !== undefined) expect(each.bodies().slice(1)).to.deep.equal(then);
      await turn();
      expect(each.bodies().filter((body) => body === 'first')).to.have.length(1);
    });

  const noDelay = 'no delay: true';
  for (const [name, act, then] of [
    ['the only response of a connection', ({ respond }: Rig) => respond('one', { persistent: false }), 0],
    [
      'a second response',
      ({ respond }: Rig) => [respond('1', { complete: false }), respond('2', { complete: false })],
      1,
    ],
    [
      'an interim response',
      ({ writer, respond }: Rig) => [writer.interim(hints), respond('2', { complete: false })],
      1,
    ],
    ['the body of a response of the proxy', ({ writer }: Rig) => writer.respond(withBytes), 1],
    ['the bytes of a tunnel', ({ writer }: Rig) => writer.switchProtocols(switching, 'any'), 1],
  ] as const)
    it(`${then === 0 ? 'leave' : 'switch'} Nagle’s algorithm ${then === 0 ? 'on' : 'off'} before the next small piece: ${name}`, () => {
      const each = rig();
      act(each);
      expect(each.written.filter((call) => call === noDelay)).to.have.length(then);
      if (then === 0) return;
      // Behind the first write: before it there is nothing that a client could have left unacknowledged.
      expect(each.written.indexOf(noDelay)).to.equal(1);
    });

  it('are dropped where the socket was destroyed meanwhile', async () => {
    const { respond, bodies, socket } = rig();
    respond('one');
    socket.destroyed = true;
    await turn();
    expect(bodies()).to.deep.equal([]);
  });

  it('give the error of a write to their connection', async () => {
    const { respond, socket, faults } = rig();
    respond('one');
    socket.write = () => {
      throw new Error('injected');
    };
    await turn();
    expect(faults.map((error) => (error as Error).message)).to.deep.equal(['injected']);
  });
});
