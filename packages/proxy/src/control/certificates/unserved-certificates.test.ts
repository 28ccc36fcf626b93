import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { unservedCertificates } from './unserved-certificates.ts';

describe('stored certificates without ACME_DIRECTORY', () => {
  let dataDir: string;
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'swarmgate-unserved-'));
  });
  afterEach(() => rm(dataDir, { recursive: true, force: true }));

  const store = async (file: string, content: string) => {
    await mkdir(join(dataDir, 'acme/certificates'), { recursive: true });
    await writeFile(join(dataDir, 'acme/certificates', `${file}.json`), content);
  };

  it('are a problem that names their hosts', async () => {
    await store('b', JSON.stringify({ names: ['b.example.com', '*.b.example.com'], notAfterMs: 2 }));
    await store('a', JSON.stringify({ names: ['a.example.com'], notAfterMs: 2 }));
    const [problem] = (await unservedCertificates(dataDir, 1)).get('env/acme') ?? [];
    expect(problem).to.include({ severity: 'warning', reason: 'certificates-unserved' });
    expect(problem?.message).to.match(
      /ACME_DIRECTORY is not set.*\*\.b\.example\.com, a\.example\.com, b\.example\.com$/,
    );
  });

  it('are none where there is no certificate that is not over', async () => {
    expect((await unservedCertificates(dataDir, 1)).size).to.equal(0);
    await store('over', JSON.stringify({ names: ['a.example.com'], notAfterMs: 1 }));
    for (const [at, text] of ['', '{', '[]', 'null', '{"names":1,"notAfterMs":9}'].entries())
      await store(`x${at}`, text);
    expect((await unservedCertificates(dataDir, 1)).size).to.equal(0);
  });
});
