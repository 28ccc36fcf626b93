import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Logger } from '../logger.ts';
import { settingsCatalogue } from './catalogue.ts';
import {
  findSettingsWithoutEffect,
  settingsWithoutEffect,
  warnOfSettingsWithoutEffect,
} from './docker-flow-settings.ts';

describe('settings of Docker Flow without effect', () => {
  const found = (env: Readonly<Record<string, string>>, secretsDir = '/nonexistent') =>
    findSettingsWithoutEffect({ env, secretsDir }).map(({ name }) => name);

  it('are found in the environment, as a file and as a secret', () => {
    const secretsDir = mkdtempSync(join(tmpdir(), 'docker-flow-settings-'));
    try {
      writeFileSync(join(secretsDir, 'dfp_stats_pass'), 'x');
      expect(found({ EXTRA_FRONTEND: 'bind *:81', EXTRA_GLOBAL_FILE: '/a' }, secretsDir)).to.have.members([
        'EXTRA_FRONTEND',
        'EXTRA_GLOBAL',
        'STATS_PASS',
      ]);
    } finally {
      rmSync(secretsDir, { recursive: true, force: true });
    }
  });

  it('are none where the variable is empty, or has an effect', () => {
    expect(found({ EXTRA_FRONTEND: '', TIMEOUT_CLIENT: '20', USERS: 'a:b', PATH: '/bin' })).to.deep.equal([]);
  });

  it('are no settings of ours', () => {
    const ours = new Set<string>(Object.values(settingsCatalogue).flatMap(({ env }) => [...env]));
    expect(settingsWithoutEffect.filter(({ name }) => ours.has(name))).to.deep.equal([]);
  });

  it('are logged one by one, with the alternative, and never with their value', () => {
    const lines: string[] = [];
    const logger = { warn: (fields: object) => lines.push(JSON.stringify(fields)) } as unknown as Logger;
    warnOfSettingsWithoutEffect({ env: { STATS_PASS: 'hunter2', DEBUG: 'true' }, secretsDir: '/nonexistent' }, logger);
    expect(lines).to.have.length(2);
    expect(lines[0]).to.include('"setting":"DEBUG"').and.include('LOG_LEVEL=debug');
    expect(lines.join()).not.to.include('hunter2');
  });
});
