import { expect } from 'chai';
import { failureProblem } from './mend.ts';

describe('a failed order in words', () => {
  const cases = [
    ['dns', 'no A or AAAA record for a.example.com', 'acme-dns'],
    ['connection', 'port 80 of a.example.com does not respond', 'acme-connection'],
    ['unauthorized', 'port 80 of a.example.com is served by another server', 'acme-unauthorized'],
    ['incorrectResponse', 'port 80 of a.example.com is served by another server', 'acme-incorrect-response'],
    ['caa', 'a CAA record forbids ca to certify a.example.com', 'acme-caa'],
    ['rateLimited', 'rate limited by ca until 2026-12-01T00:00:00.000Z', 'acme-rate-limited'],
    ['account', 'ca refuses the account', 'acme-account'],
    ['unreachable', 'ca does not respond', 'acme-unreachable'],
    ['something-new', 'ca refuses a.example.com', 'acme-something-new'],
  ] as const;
  for (const [type, words, reason] of cases)
    it(`explains ${type} and how to mend it`, () => {
      const notBeforeMs = Date.UTC(2026, 11, 1);
      const failure = { type, detail: 'the CA’s words', challenge: 'http-01' as const, issuer: 'ca', notBeforeMs };
      const problem = failureProblem('a.example.com', failure, Date.UTC(2026, 11, 2));
      expect(problem.message).to.include(words).and.include('the CA’s words').and.include('2026-12-02T00:00:00.000Z');
      expect(problem.reason).to.equal(reason);
      expect(problem.suggestion).to.be.a('string').and.not.equal('');
    });

  const ports = [
    ['tls-alpn-01', 'connection', 'port 443'],
    ['dns-01', 'unauthorized', 'TXT record'],
  ] as const;
  for (const [challenge, type, words] of ports)
    it(`names the ${words} for ${challenge}`, () => {
      const problem = failureProblem('a.example.com', { type, detail: '', challenge, issuer: 'ca' }, 0);
      expect(problem.message).to.include(words);
    });

  for (const [type, words] of [
    ['dns-lookup', 'the DNS does not resolve where the TXT record of a.example.com belongs (10.0.0.1 did not respond'],
    ['dns-provider', 'the TXT record of a.example.com cannot be written (10.0.0.1 did not respond'],
  ] as const)
    it(`does not put words of ${type} into the mouth of the CA`, () => {
      const failure = { type, detail: '10.0.0.1 did not respond', challenge: 'dns-01' as const, issuer: 'ca' };
      expect(failureProblem('a.example.com', failure, 0).message).to.include(words);
    });

  const ofCa = [
    ['GET https://ca/dir: self-signed certificate in certificate chain', /unknown authority/, /ACME_CA_FILE/],
    ['GET https://ca/dir: unable to get local issuer certificate', /unknown authority/, /ACME_CA_FILE/],
    ['GET https://ca/dir: connect ECONNREFUSED 127.0.0.1:14000', /refuses the connection/, /host and port/],
    ['GET https://ca/dir: getaddrinfo ENOTFOUND ca', /not found in the DNS/, /host in ACME_DIRECTORY/],
    ['GET https://ca/dir: 404 without a problem document', /no ACME directory at this URL/, /correct the path/],
    ['GET https://ca/dir: 503 without a problem document', /does not respond/, /reaches the CA/],
  ] as const;
  for (const [detail, what, suggestion] of ofCa)
    it(`names URL, cause and mend for a CA without a usable response: ${detail}`, () => {
      const failure = { type: 'unreachable', detail, challenge: 'http-01' as const, issuer: 'ca' };
      const problem = failureProblem('a.example.com', failure, 0);
      expect(problem.message).to.match(what).and.include(detail);
      expect(problem.suggestion).to.match(suggestion);
    });
});
