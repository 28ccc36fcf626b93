import { randomBytes } from 'node:crypto';
import { sealSecret, secretsKeyOf } from '@swarmgate/registry';
import { expect } from 'chai';
import { answerBoard } from './answer-board.ts';
import { alpnBinding, openAnswers } from './open-answers.ts';
import { serverNameOf } from './server-name.ts';

const key = () => secretsKeyOf(randomBytes(32).toString('base64')) ?? { id: '', bytes: Buffer.alloc(0) };

describe('the answers to pending challenges', () => {
  const ours = key();
  const sealedKey = sealSecret('PRIVATE', alpnBinding('b.example.com'), [ours]);
  const answers = [
    { kind: 'http-01' as const, name: 'a.example.com', token: 'token', keyAuthorization: 'token.thumb' },
    { kind: 'http-01' as const, name: '2606:4700::1111', token: 'six', keyAuthorization: 'six.thumb' },
    { kind: 'tls-alpn-01' as const, name: 'b.example.com', certificate: 'CERT', sealedKey },
  ];
  const board = answerBoard(openAnswers(answers, [ours]));

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
    it(`are ${body ?? 'none'} for ${host}/${token}`, () => expect(board.challengeAnswer(host, token)).to.equal(body));

  it('are certificates by server name, opened', () => {
    expect(board.alpnAnswer('B.example.com')).to.deep.equal({ certificate: 'CERT', privateKey: 'PRIVATE' });
    expect(board.alpnAnswer('a.example.com')).to.equal(undefined);
  });

  it('leave out what another SECRETS_KEY sealed', () => {
    expect(openAnswers(answers, [key()]).alpn).to.deep.equal([]);
  });

  const serverNames = [
    ['a.example.com', 'a.example.com'],
    ['192.0.2.7', '7.2.0.192.in-addr.arpa'],
    ['2001:db8::1', '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa'],
  ] as const;
  for (const [name, serverName] of serverNames)
    it(`are asked for ${name} by the server name ${serverName}`, () => expect(serverNameOf(name)).to.equal(serverName));
});
