import { readSettings } from '@swarmgate/runtime';
import { expect } from 'chai';
import { orderingRules } from './acme-settings.ts';
import { issuerOf } from './orders/issuers.ts';

const url = 'https://ca.internal/acme/acme/directory';
const rules = (env: Readonly<Record<string, string>>) =>
  orderingRules(readSettings('proxy', { env, secretsDir: '/nonexistent/secrets' }));
const refusal = (env: Readonly<Record<string, string>>) =>
  rules(env).then(
    () => 'no error',
    (error: Error) => error.message,
  );

describe('what the settings make of issuers', () => {
  it('names the directory as it is written where its external account is not whole', async () => {
    const cases = [
      [{ ACME_DIRECTORY: 'zerossl' }, 'ACME_DIRECTORY=zerossl needs ACME_EAB_KID and ACME_EAB_HMAC'],
      [{ ACME_DIRECTORY: url, ACME_EAB_KID: 'kid' }, `ACME_DIRECTORY=${url} needs ACME_EAB_HMAC`],
    ] as const;
    for (const [env, text] of cases) {
      const message = await refusal(env);
      expect(message).to.include(text);
      expect(message).to.not.include(issuerOf(url).id);
    }
  });

  it('takes external accounts by what is written, base64 with its padding', async () => {
    const { orderer } = await rules({
      ACME_DIRECTORY: `zerossl,${url}`,
      ACME_EAB_KID: `zerossl=one,${url}=two`,
      ACME_EAB_HMAC: `zerossl=AAA=,${url}=BBB=`,
    });
    expect(orderer.externalAccountOf?.(issuerOf('zerossl'))).to.deep.equal({ kid: 'one', hmac: 'AAA=' });
    expect(orderer.externalAccountOf?.(issuerOf(url))).to.deep.equal({ kid: 'two', hmac: 'BBB=' });
    const single = await rules({ ACME_DIRECTORY: 'zerossl', ACME_EAB_KID: 'one', ACME_EAB_HMAC: 'AAA=' });
    expect(single.orderer.externalAccountOf?.(issuerOf('zerossl'))).to.deep.equal({ kid: 'one', hmac: 'AAA=' });
  });
});
