import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { StatusResponse } from '@swarmgate/proxy';
import { expect } from 'chai';
import { until } from '../../harness/until.ts';
import {
  digest,
  type ForeignRig,
  type ForeignService,
  large,
  output,
  services,
  small,
  startForeignRig,
} from './foreign-rig.ts';

/** What a service that reports what it got says of a request. */
interface Report {
  readonly headers: readonly (readonly [string, string])[];
  readonly trailers: readonly (readonly [string, string])[];
  readonly length: number;
  readonly sha256: string;
}

for (const [workers, router, framing] of [
  ['0', 'core', 'true'],
  ['2', 'core', 'true'],
  ['0', 'express', 'true'],
  ['0', 'core', 'node'],
] as const)
  describe(`HTTP/2 by curl, nghttp and h2load: ${workers} workers, the ${router} router, HTTP2=${framing}`, function () {
    this.timeout(120_000);
    let rig: ForeignRig;
    before(async () => {
      rig = await startForeignRig({ WORKERS: workers, HTTP_ROUTER: router, HTTP2: framing });
    });
    after(() => rig?.stop());

    const urlOf = (isSecure: boolean, service: ForeignService, path: string) =>
      `${isSecure ? `https://localhost:${rig.secure}` : `http://localhost:${rig.plain}`}/${service.name}/${path}`;
    const curl = (isSecure: boolean, ...args: readonly string[]) =>
      output('curl', [
        ...(isSecure ? ['--http2', '--cacert', rig.certificate] : ['--http2-prior-knowledge']),
        '--silent',
        '--show-error',
        ...args,
      ]);
    const nghttp = (...args: readonly string[]) => output('nghttp', ['--no-verify-peer', ...args]);
    const expectUpload = (service: ForeignService, body: string, sent = large) => {
      if (!service.reports) expect([body.length, digest(body)]).to.deep.equal([sent.length, digest(sent)]);
      else expect(JSON.parse(body) as Report).to.include({ length: sent.length, sha256: digest(sent) });
    };

    for (const isSecure of [false, true])
      for (const service of services) {
        const where = `${isSecure ? 'TLS' : 'cleartext'}, to ${service.name} by ${service.protocol}`;

        it(`curl: uploads, downloads and heads, ${where}`, async () => {
          const down = await curl(
            isSecure,
            '-w',
            '%{http_version} %{response_code}',
            urlOf(isSecure, service, 'large'),
          );
          expect(down.slice(-5)).to.equal('2 200');
          expect(digest(down.slice(0, -5))).to.equal(digest(large));
          expectUpload(service, await curl(isSecure, '-T', rig.upload, urlOf(isSecure, service, 'echo')));
          const head = await curl(isSecure, '--head', urlOf(isSecure, service, 'small'));
          expect(head)
            .to.match(/^HTTP\/2 200 \r\n/)
            .and.to.match(/\r\n\r\n$/);
        });

        // In cleartext curl 7.88 fails with any server where transfers run in parallel.
        if (isSecure)
          it(`curl: fifty requests at once on one connection, ${where}`, async () => {
            const urls = Array.from({ length: 50 }, (_, at) => [
              urlOf(isSecure, service, `small?${at}`),
              '-o',
              '/dev/null',
            ]);
            const shown = await curl(isSecure, '-Z', '-w', '%{response_code} %{num_connects}\n', ...urls.flat());
            const lines = shown.trim().split('\n');
            expect(lines.map((line) => line.split(' ')[0])).to.deep.equal(Array(50).fill('200'));
            expect(lines.filter((line) => line.endsWith(' 1'))).to.have.lengthOf(1);
          });

        it(`nghttp: tiny windows, padding, tables that change size and weights, ${where}`, async () => {
          const manner = ['-w10', '-W20', '-b255', '-c0', '-c4096', '-p200'];
          const down = await nghttp(...manner, urlOf(isSecure, service, 'large'));
          expect(digest(down)).to.equal(digest(large));
          expectUpload(service, await nghttp('-b100', '-d', rig.upload, urlOf(isSecure, service, 'echo')));
          expectUpload(
            service,
            await nghttp('--no-content-length', '-d', rig.upload, urlOf(isSecure, service, 'echo')),
          );
          // nghttp 1.52 submits the body again a second after its head, also where it got 100, and resets a stream that is still
          // sending then: this one leaves at once.
          const expecting = ['--no-content-length', '--expect-continue', '-d', rig.smallUpload];
          expectUpload(service, await nghttp(...expecting, urlOf(isSecure, service, 'echo')), small);
        });

        it(`nghttp: a head that takes CONTINUATION, and 1xx and trailers of the service, ${where}`, async () => {
          const shown = await nghttp('-nv', '--continuation', urlOf(isSecure, service, 'hinted'));
          // It shows the frames of a block as one.
          expect(Number(/send HEADERS frame <length=(\d+)/.exec(shown)?.[1])).to.be.greaterThan(16_384);
          const received = [...shown.matchAll(/recv \(stream_id=\d+\) (:status|x-end): (.*)/g)].map(
            ([, name, value]) => `${name} ${value}`,
          );
          const expected: Readonly<Record<string, readonly string[]>> = {
            nghttpd: [':status 404', 'x-end of nghttpd'],
            'nghttpd-tls': [':status 404'],
            node: [':status 103', ':status 200', 'x-end of node'],
          };
          expect(received).to.deep.equal(expected[service.name] ?? [':status 103', ':status 200', 'x-end of hyper']);
        });

        it(`h2load: every one of 2,000 requests and 200 uploads, ${where}`, async () => {
          const right = /(\d+) succeeded, 0 failed, 0 errored, 0 timeout\nstatus codes: (\d+) 2xx, 0 3xx, 0 4xx, 0 5xx/;
          const shown = await output('h2load', ['-n2000', '-c8', '-m40', urlOf(isSecure, service, 'small')]);
          expect(right.exec(shown)?.slice(1)).to.deep.equal(['2000', '2000']);
          const small = ['-n200', '-c4', '-m10', '-w12', '-W14', '-d', rig.certificate];
          const uploads = await output('h2load', [...small, urlOf(isSecure, service, 'echo')]);
          expect(right.exec(uploads)?.slice(1)).to.deep.equal(['200', '200']);
        });
      }

    for (const service of services.filter(({ reports }) => reports))
      it(`nghttp and curl: trailers of a request, 204 and 304, a response that breaks off, to ${service.name}`, async () => {
        const args = [
          '--no-content-length',
          '--trailer',
          'x-sum: of nghttp',
          '-d',
          rig.upload,
          urlOf(false, service, 'echo'),
        ];
        const { trailers } = JSON.parse(await nghttp(...args)) as Report;
        expect(trailers).to.deep.equal([['x-sum', 'of nghttp']]);
        for (const status of ['204', '304'])
          expect(await curl(true, '--include', urlOf(true, service, status)))
            .to.match(new RegExp(`^HTTP/2 ${status} \r\n`))
            .and.to.include('\r\nx-empty: yes\r\n')
            .and.to.match(/\r\n\r\n$/);
        const broken = await curl(true, urlOf(true, service, 'broken')).catch((error: Error) => error.message);
        expect(broken).to.match(/curl: \(92\) HTTP\/2 stream \d+ was not closed cleanly/);
      });

    it('curl and nghttp: an upgrade to h2c is not taken, and the request is served over HTTP/1.1', async () => {
      const url = urlOf(false, services[0] as ForeignService, 'small');
      const shown = await output('curl', ['--http2', '--silent', '-o', '/dev/null', '-w', '%{http_version}', url]);
      expect(shown).to.equal('1.1');
      const refused = await nghttp('-u', '-nv', url).catch((error: Error) => error.message);
      expect(refused).to.match(/HTTP Upgrade failed|HTTP\/1\.1 200/);
    });

    it('curl: HTTP/1.1 and HTTP/2 on the same port, each under its name in the access log', async () => {
      const [node] = services as [ForeignService];
      const logged = (path: string) => new RegExp(`^.*"path":"/node/${path}".*$`, 'm').exec(rig.proxy.log())?.[0];
      for (const [option, protocol] of [
        ['--http1.1', 'HTTP/1.1'],
        ['--http2-prior-knowledge', 'HTTP/2'],
      ] as const) {
        const path = `by${option}`;
        await output('curl', [option, '--silent', urlOf(false, node, path)]);
        await until('it is logged', async () => logged(path) !== undefined);
        expect(logged(path)).to.include(`"protocol":"${protocol}"`);
      }
    });

    it('the status and the metrics show both protocols', async () => {
      const call = async (path: string) => await (await fetch(`http://127.0.0.1:${rig.admin}${path}`)).text();
      const { entrypoints } = JSON.parse(await call('/v1/status')) as StatusResponse;
      expect(entrypoints.map(({ port, protocols }) => [port, protocols])).to.have.deep.members(
        [rig.plain, rig.secure].map((port) => [port, ['HTTP/1.1', 'HTTP/2']]),
      );
      const open = async (protocol: string) => {
        const found = new RegExp(`^swarmgate_http_connections\\{protocol="${protocol}"\\} (\\d+)$`, 'm');
        return Number(found.exec(await call('/metrics'))?.[1]);
      };
      await until('no connection is open', async () => (await open('HTTP/1.1')) === 0 && (await open('HTTP/2')) === 0);
      const http1 = connectTcp(rig.plain, '127.0.0.1');
      const http2 = [rig.plain, rig.plain].map((port) => connectHttp2(`http://127.0.0.1:${port}`));
      await until('all are open', async () => (await open('HTTP/1.1')) === 1 && (await open('HTTP/2')) === 2);
      http1.destroy();
      for (const session of http2) session.destroy();
      await until('none is open', async () => (await open('HTTP/1.1')) === 0 && (await open('HTTP/2')) === 0);
      const counted =
        /^swarmgate_request_duration_seconds_count\{service="[^"]*node",entrypoint="[^"]*",protocol="HTTP\/2"\} [1-9]/m;
      // A worker that does not know yet whether a service is shown apart counts its first requests as `other`.
      await until('a request is counted', async () => {
        await curl(false, urlOf(false, services[0] as ForeignService, 'small'));
        return counted.test(await call('/metrics'));
      });
    });

    it('curl and nghttp: what is open at SIGTERM is served to its end, with GOAWAY', async () => {
      const [node] = services as [ForeignService];
      const slow = ['--limit-rate', '3M', urlOf(true, node, 'large')];
      const clients = [
        spawn('curl', ['--http2', '--silent', '--cacert', rig.certificate, ...slow], { timeout: 30_000 }),
        spawn('nghttp', ['-v', '-w12', '-W12', urlOf(false, node, 'large')], { timeout: 30_000 }),
      ];
      const shown = clients.map(({ stdout }) => buffer(stdout));
      const ended = clients.map((client) => once(client, 'exit'));
      await Promise.all(clients.map(({ stdout }) => once(stdout, 'data')));
      rig.proxy.signal('SIGTERM');
      const [byCurl, byNghttp] = (await Promise.all(shown)) as [Buffer, Buffer];
      expect((await Promise.all(ended)).map(([code]) => code)).to.deep.equal([0, 0]);
      expect(digest(byCurl)).to.equal(digest(large));
      expect(byNghttp.toString('latin1')).to.match(/recv GOAWAY frame[^)]*error_code=NO_ERROR/);
    });
  });
