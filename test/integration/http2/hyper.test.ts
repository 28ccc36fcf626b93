import { expect } from 'chai';
import { digest, type ForeignRig, large, output, python, script, services, startForeignRig } from './foreign-rig.ts';

interface Received {
  readonly status: string;
  readonly interims: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly length: number;
  readonly text?: string;
  readonly sha256: string;
  readonly trailers: Readonly<Record<string, string>>;
  readonly reset: number | null;
}

/** What hyper-client.py prints; `end`: the code of GOAWAY, or `closed`. */
interface Shown {
  readonly end: number | string | null;
  readonly responses: readonly Received[];
}

interface Report {
  readonly headers: readonly (readonly [string, string])[];
  readonly trailers: readonly (readonly [string, string])[];
  readonly length: number;
}

const served = ['200'];
/** Codes of RFC 9113, section 7, and where they end something: the connection or a stream. `400`, then RST_STREAM: see docs/forwarding.md. */
const outcomes: Readonly<Record<string, readonly string[]>> = {
  'a request': served,
  'a head in 40 CONTINUATION bytes a frame': served,
  'PRIORITY of an idle stream': served,
  'an unknown frame': served,
  'an unknown setting': served,
  'padding of HEADERS and DATA': served,
  trailers: served,
  'DATA on stream 0': ['connection 1'],
  'DATA of an idle stream': ['connection 1'],
  'HEADERS of an even stream': ['connection 1'],
  'HEADERS of an earlier stream': ['connection 1'],
  'CONTINUATION of nothing': ['connection 1'],
  'DATA within a block': ['connection 1'],
  PUSH_PROMISE: ['connection 1'],
  'SETTINGS on a stream': ['connection 1'],
  'SETTINGS of 5 bytes': ['connection 6'],
  'an acknowledgement with a payload': ['connection 6'],
  'ENABLE_PUSH of 2': ['connection 1'],
  'a frame size of 16,383': ['connection 1'],
  'an initial window of 2^31': ['connection 3'],
  'PING of 7 bytes': ['connection 6'],
  'PING on a stream': ['connection 1'],
  'a frame of 16,385 bytes': ['connection 6'],
  'a window over 2^31-1': ['connection 3'],
  'an increment of 0 for the connection': ['connection 1'],
  'RST_STREAM of an idle stream': ['connection 1'],
  'a block that does not decode': ['connection 9'],
  'padding longer than the frame': ['connection 1'],
  'HTTP/1.1 behind the preface': ['connection 6'],
  'DATA behind the end': ['stream 5'],
  'an increment of 0': ['stream 1'],
  'a window of a stream over 2^31-1': ['stream 3'],
  'a body longer than content-length': ['stream 1'],
  'trailers without an end': ['stream 1'],
  connection: ['400', 'stream 1'],
  'transfer-encoding': ['400', 'stream 1'],
  'upper case': ['400', 'stream 1'],
  'a line break in a value': ['400', 'stream 1'],
  'a line break in :path': ['400', 'stream 1'],
  'a blank in :method': ['400', 'stream 1'],
  'two lengths': ['400', 'stream 1'],
  'no :path': ['400', 'stream 1'],
  'te: gzip': ['400', 'stream 1'],
  'Host beside another :authority': ['400', 'stream 1'],
  'a head over the limit': ['431'],
};

for (const [workers, router] of [
  ['0', 'core'],
  ['2', 'core'],
  ['0', 'express'],
] as const)
  describe(`HTTP/2 by hyper-h2, ${workers} workers, the ${router} router`, function () {
    this.timeout(120_000);
    let rig: ForeignRig;
    before(async () => {
      rig = await startForeignRig({ WORKERS: workers, HTTP_ROUTER: router });
    });
    after(() => rig?.stop());

    const hyper = async (isSecure: boolean, requests: readonly object[]) => {
      const args = [script('hyper-client.py'), String(isSecure ? rig.secure : rig.plain), ...(isSecure ? ['tls'] : [])];
      return JSON.parse(await output(python, args, JSON.stringify(requests))) as Shown;
    };

    for (const isSecure of [false, true]) {
      const manner = isSecure ? 'TLS' : 'cleartext';

      it(`frames of hyperframe end what they should, with the code that they should, ${manner}`, async () => {
        const args = [
          script('hyper-frames.py'),
          String(isSecure ? rig.secure : rig.plain),
          ...(isSecure ? ['tls'] : []),
        ];
        expect(JSON.parse(await output(python, args))).to.deep.equal(outcomes);
      });

      it(`thirty requests at once in windows of 4 KB, up and down, to every service, ${manner}`, async () => {
        const each = services.flatMap(({ name }) => [
          ...['large', 'small', 'small', 'small'].map((end) => ({ path: `/${name}/${end}` })),
          { method: 'POST', path: `/${name}/echo`, body: 300_000 },
          { method: 'HEAD', path: `/${name}/small` },
        ]);
        const { end, responses } = await hyper(isSecure, each);
        expect(end).to.equal(null);
        const uploaded = digest('u'.repeat(300_000));
        responses.forEach((response, at) => {
          const { method, path } = each[at] as { readonly method?: string; readonly path: string };
          expect(response, path).to.include({ status: '200', reset: null });
          if (path.endsWith('/large')) expect(response.sha256, path).to.equal(digest(large));
          else if (method === 'HEAD') expect(response.length, path).to.equal(0);
          else if (method === 'POST')
            expect(path.startsWith('/nghttpd') ? response.sha256 : response.text, path).to.include(uploaded);
          else expect(response.length, path).to.be.greaterThan(0);
        });
      });

      it(`cookies that came in pieces are joined, and trailers and 1xx pass both ways, ${manner}`, async () => {
        const cookies = [
          ['cookie', 'a=1'],
          ['x-other', 'y'],
          ['cookie', 'b=2'],
        ];
        for (const { name } of services.filter(({ reports }) => reports)) {
          const { responses } = await hyper(isSecure, [
            { path: `/${name}/small`, fields: cookies },
            { method: 'POST', path: `/${name}/echo`, body: 10, trailers: [['x-sum', '5']] },
            { path: `/${name}/hinted` },
          ]);
          const [first, second, third] = responses as [Received, Received, Received];
          const reported = (JSON.parse(first.text ?? '') as Report).headers;
          expect(reported.filter(([field]) => field === 'cookie').map(([, value]) => value)).to.deep.equal([
            'a=1; b=2',
          ]);
          expect((JSON.parse(second.text ?? '') as Report).trailers).to.deep.equal([['x-sum', '5']]);
          expect(third).to.deep.include({ interims: ['103'], text: 'hinted' });
          expect(third.trailers['x-end']).to.match(/^of /);
        }
      });
    }

    it('what a service refuses by REFUSED_STREAM, or leaves behind by GOAWAY, is sent again, a POST too', async () => {
      for (const name of ['hyper', 'hyper-tls'])
        for (const end of ['refused-once', 'goaway-once']) {
          const { responses } = await hyper(true, [{ method: 'POST', path: `/${name}/${end}`, body: 1_000 }]);
          expect(responses[0], `${name} ${end}`).to.include({ status: '200', reset: null });
          expect((JSON.parse(responses[0]?.text ?? '') as Report).length).to.equal(1_000);
          const { responses: counted } = await hyper(true, [{ path: `/${name}/counted` }]);
          expect(JSON.parse(counted[0]?.text ?? '')).to.include({ [`/${name}/${end}`]: 2 });
        }
    });

    it('a few connections carry all requests to a service', async () => {
      const url = `http://localhost:${rig.plain}/hyper/small`;
      await output('h2load', ['-n1000', '-c10', '-m10', url]);
      const { responses } = await hyper(false, [{ path: '/hyper/counted' }]);
      // A hundred requests at once are three connections of 40; each worker has its own, and earlier tests used some up.
      const { connections } = JSON.parse(responses[0]?.text ?? '') as { readonly connections: number };
      expect(connections).to.be.within(3, 14);
    });
  });
