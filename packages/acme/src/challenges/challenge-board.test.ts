import { createPrivateKey } from 'node:crypto';
import { expect } from 'chai';
import { type ChallengeBoard, challengeBoard } from './challenge-board.ts';
import { ChallengeResponseOpener } from './open-challenge-responses.ts';
import { serverNameOf } from './server-name.ts';

describe('the responses to pending challenges', () => {
  const opened = new ChallengeResponseOpener();
  const responses = [
    { kind: 'http-01' as const, name: 'a.example.com', token: 'token', keyAuthorization: 'token.thumb' },
    { kind: 'http-01' as const, name: '2606:4700::1111', token: 'six', keyAuthorization: 'six.thumb' },
    { kind: 'tls-alpn-01' as const, name: 'b.example.com', token: 'alpn', keyAuthorization: 'alpn.thumb' },
  ];
  let board: ChallengeBoard;
  before(async () => {
    board = challengeBoard(await opened.of(responses));
  });

  const cases = [
    ['a.example.com', 'token', 'token.thumb'],
    ['A.Example.Com.', 'token', 'token.thumb'],
    ['[2606:4700:0::1111]', 'six', 'six.thumb'],
    ['a.example.com', 'Token', undefined],
    ['a.example.com', 'token/', undefined],
    ['a.example.com', '', undefined],
    ['b.example.com', 'token', undefined],
    ['', 'token', undefined],
  ] as const;
  for (const [host, token, body] of cases)
    it(`are ${body ?? 'none'} for ${host}/${token}`, () => expect(board.challengeResponse(host, token)).to.equal(body));

  it('are certificates by server name for both kinds of keys, made once', async () => {
    const pairs = board.alpnResponse('B.example.com.');
    expect(pairs?.map(({ privateKey }) => createPrivateKey(privateKey).asymmetricKeyType)).to.deep.equal(['ec', 'rsa']);
    expect(board.alpnResponse('a.example.com')).to.equal(undefined);
    expect((await opened.of(responses)).alpn[0]?.[1]).to.equal(pairs);
    expect((await opened.of([])).alpn).to.deep.equal([]);
  });

  const serverNames = [
    ['a.example.com', 'a.example.com'],
    ['192.0.2.7', '7.2.0.192.in-addr.arpa'],
    ['2001:db8::1', '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa'],
  ] as const;
  for (const [name, serverName] of serverNames)
    it(`are looked up for ${name} by the server name ${serverName}`, () =>
      expect(serverNameOf(name)).to.equal(serverName));
});
