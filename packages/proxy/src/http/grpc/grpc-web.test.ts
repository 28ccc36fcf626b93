import { expect } from 'chai';
import { Base64Pieces, grpcTypeOf, grpcWebForm, grpcWebTypeOf, trailerFrame } from './grpc-web.ts';

describe('gRPC-Web', () => {
  const types = [
    ['application/grpc-web', 'binary', 'application/grpc', 'application/grpc-web+proto'],
    ['application/grpc-web+proto', 'binary', 'application/grpc+proto', 'application/grpc-web+proto'],
    ['Application/gRPC-Web+json; charset=utf-8', 'binary', 'application/grpc+json', 'application/grpc-web+json'],
    ['application/grpc-web-text', 'text', 'application/grpc', 'application/grpc-web-text+proto'],
    ['application/grpc-web-text+proto', 'text', 'application/grpc+proto', 'application/grpc-web-text+proto'],
    ['application/grpc', undefined, '', ''],
    ['application/grpc-webx', undefined, '', ''],
    ['text/plain', undefined, '', ''],
  ] as const;
  for (const [type, form, grpc, web] of types)
    it(`recognizes ${type}`, () => {
      expect(grpcWebForm(type)).to.equal(form);
      if (form === undefined) return;
      expect(grpcTypeOf(type)).to.equal(grpc);
      expect(grpcWebTypeOf(grpc, form)).to.equal(web);
    });

  it('frames trailers', () => {
    const frame = trailerFrame(['Grpc-Status', '0', 'grpc-message', 'a b']);
    const lines = 'grpc-status: 0\r\ngrpc-message: a b\r\n';
    expect(frame.toString('latin1')).to.equal(`\x80\0\0\0${String.fromCharCode(lines.length)}${lines}`);
  });

  for (const [name, pieces, decoded] of [
    ['one piece', ['aGVsbG8='], 'hello'],
    ['pieces that end anywhere', ['a', 'GVs', 'bG8', '='], 'hello'],
    ['pieces with padding of their own', ['aGVsbG8=', 'IQ==', 'Pz8/'], 'hello!???'],
    ['padding within a piece', ['aGVsbG8=IQ==Pz8/'], 'hello!???'],
  ] as const)
    it(`decodes base64: ${name}`, () => {
      const base64 = new Base64Pieces();
      expect(pieces.map((piece) => base64.decode(piece)?.toString()).join('')).to.equal(decoded);
      expect(base64.isWhole).to.equal(true);
    });

  for (const text of ['a=bc', '====', 'aGVs\n', 'aGV-', 'aG=='.repeat(2).slice(1)])
    it(`refuses ${JSON.stringify(text)}`, () => {
      const base64 = new Base64Pieces();
      expect(base64.decode(text) === undefined || !base64.isWhole).to.equal(true);
    });
});
