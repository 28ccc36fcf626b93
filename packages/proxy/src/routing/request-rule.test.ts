import { expect } from 'chai';
import type { RequestTarget } from '../model/request-target.ts';
import { compileRule } from './request-rule.ts';

const request: RequestTarget = {
  method: 'GET',
  host: 'shop.example',
  path: '/api/items',
  port: 443,
  secure: true,
  header: () => undefined,
  lines: (name) => (name === 'x-version' ? ['2', '3'] : []),
  query: '?page=1&page=2&name=a%20b&debug',
  clientAddress: '10.1.2.3',
};

describe('a rule of a route', () => {
  const cases: readonly (readonly [string, boolean])[] = [
    ['Host(`shop.example`)', true],
    ['Host(`blog.example`)', false],
    ['HostRegexp(`^[a-z]+\\.example$`)', true],
    ['HostRegexp(`shop`)', true],
    ['HostRegexp(`^shop$`)', false],
    ['Path(`/api/items`)', true],
    ['Path(`/api`)', false],
    ['PathPrefix(`/api`)', true],
    // Traefik's prefix is text, not segments.
    ['PathPrefix(`/ap`)', true],
    ['PathPrefix(`/items`)', false],
    ['PathRegexp(`^/api/[a-z]+$`)', true],
    ['PathRegexp(`/items`)', true],
    ['Method(`GET`)', true],
    ['Method(`POST`)', false],
    ['Header(`X-Version`, `3`)', true],
    ['Header(`X-Version`, `2, 3`)', false],
    ['HeaderRegexp(`x-version`, `^[3-9]$`)', true],
    ['Header(`X-Other`, ``)', false],
    ['Query(`page`, `2`)', true],
    ['Query(`page`, `3`)', false],
    ['Query(`name`, `a b`)', true],
    ['Query(`debug`)', true],
    ['QueryRegexp(`page`, `^[0-9]$`)', true],
    ['ClientIP(`10.0.0.0/8`)', true],
    ['ClientIP(`10.1.2.4`)', false],
    ['!ClientIP(`10.0.0.0/8`)', false],
    ['Host(`shop.example`) && (Path(`/x`) || !Method(`POST`))', true],
    ['Host(`blog.example`) || Host(`shop.example`) && Path(`/x`)', false],
  ];
  for (const [rule, fits] of cases)
    it(`${rule} ${fits ? 'fits' : 'does not fit'}`, () => expect(compileRule(rule).fits(request)).to.equal(fits));

  // What is not known must not be taken for what is not so: a negation would let it in.
  const unknown: readonly (readonly [string, Partial<RequestTarget>])[] = [
    ['!ClientIP(`10.0.0.0/8`)', { clientAddress: 'unknown' }],
    ['!Header(`X-A`, `1`)', {}],
    ['!Query(`a`, `1`)', {}],
    ['this is no rule', {}],
    ['!HostRegexp(`(`)', {}],
  ];
  for (const [rule, known] of unknown)
    it(`${rule} fits no request of which too little is known`, () => {
      const { lines: _lines, query: _query, clientAddress: _address, ...rest } = request;
      expect(compileRule(rule).fits({ ...rest, ...known })).to.equal(false);
    });

  it('is shown without what may be a credential', () => {
    expect(compileRule('Header(`X-Api-Key`, `hush`) && HeaderRegexp(`Authorization`, `^hush`)').shown).to.equal(
      'Header(`X-Api-Key`, ``) && HeaderRegexp(`Authorization`, ``)',
    );
  });
});
