import { expect } from 'chai';
import { grpcMessage, grpcStatusIn, grpcTimeoutMs, isGrpcType } from './grpc-fields.ts';

describe('fields of gRPC', () => {
  const types = [
    ['application/grpc', true],
    ['application/grpc+proto', true],
    ['APPLICATION/GRPC;charset=x', true],
    ['application/grpc-web', false],
    ['application/grpc-web+proto', false],
    ['application/grpcx', false],
    ['application/json', false],
    [undefined, false],
  ] as const;
  for (const [type, isGrpc] of types)
    it(`takes ${type} for ${isGrpc ? 'a call' : 'no call'}`, () => expect(isGrpcType(type)).to.equal(isGrpc));

  const timeouts = [
    ['1H', 3_600_000],
    ['2M', 120_000],
    ['3S', 3_000],
    ['250m', 250],
    ['5000u', 5],
    ['99999999n', 99.999999],
    ['0S', 0],
    ['123456789m', undefined],
    ['1', undefined],
    ['m', undefined],
    ['-1S', undefined],
    ['1s', undefined],
    ['1.5S', undefined],
    [' 1S', undefined],
    [undefined, undefined],
  ] as const;
  for (const [value, ms] of timeouts)
    it(`reads the timeout ${value} as ${ms} ms`, () => {
      const read = grpcTimeoutMs(value);
      if (ms === undefined) expect(read).to.equal(undefined);
      else expect(read).to.be.closeTo(ms, 1e-6);
    });

  it('encodes messages', () => {
    expect(grpcMessage('100 % of\r\n“it”\x7f')).to.equal('100 %25 of%0D%0A%E2%80%9Cit%E2%80%9D%7F');
  });

  it('finds the status among lines', () => {
    expect(grpcStatusIn('a: b\r\nGrpc-Status: 14\r\n')).to.equal(14);
    expect(grpcStatusIn('grpc-status:0\r\ngrpc-message: x\r\n')).to.equal(0);
    for (const lines of ['', 'x-grpc-status: 1\r\n', 'grpc-status: x\r\n', 'grpc-message: grpc-status: 1\r\n'])
      expect(grpcStatusIn(lines), lines).to.equal(undefined);
  });
});
