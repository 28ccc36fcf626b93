import { expect } from 'chai';
import { readConstraint } from './constraints.ts';

describe('constraints of Traefik', () => {
  const labels = { tier: 'edge', zone: 'north' };
  for (const [text, holds] of [
    ['Label(`tier`, `edge`)', true],
    ['label(`tier`, `edge`)', true],
    ['Label(`tier`, `core`)', false],
    ['!Label(`tier`, `core`)', true],
    ['Label(`tier`, `core`) || Label(`zone`, `north`)', true],
    ['Label(`tier`, `core`) || Label(`zone`, `south`)', false],
    ['Label(`tier`, `edge`) && Label(`zone`, `south`)', false],
    ['Label(`tier`, `core`) && Label(`zone`, `south`) || Label(`zone`, `north`)', true],
    ['Label(`tier`, `edge`) || Label(`zone`, `north`) && Label(`zone`, `south`)', true],
    ['(Label(`tier`, `edge`) || Label(`zone`, `north`)) && Label(`zone`, `south`)', false],
    ['LabelRegex(`tier`, `^ed`)', true],
    ['LabelRegex(`none`, `^$`)', true],
  ] as const)
    it(`${text} ${holds ? 'selects' : 'leaves out'} a service`, () => {
      const read = readConstraint(text);
      expect(read.ok && read.holds(labels)).to.equal(holds);
    });

  for (const text of ['', 'Label(`a`)', 'Label(`a`, `b`) Label(`c`, `d`)', '(Label(`a`, `b`)', 'Host(`a`, `b`)', '!'])
    it(`${JSON.stringify(text)} cannot be read`, () => {
      expect(readConstraint(text).ok).to.equal(false);
    });
});
