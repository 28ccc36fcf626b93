// node test/harness/consul-screenshot.ts: renders docs/images/consul-ui.png again, of the real stack with a labelled service.
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { logIn, withPage } from './browser.ts';
import { untilResponds } from './http.ts';
import { deployStack } from './stack.ts';

const file = fileURLToPath(new URL('../../docs/images/consul-ui.png', import.meta.url));
mkdirSync(dirname(file), { recursive: true });
const stack = await deployStack({ instance: 'swarmgate' });
try {
  await stack.createService('shop', {
    labels: {
      'com.docker.stack.namespace': stack.name,
      'com.df.notify': 'true',
      'com.df.shortName': 'true',
      'com.df.serviceDomain': 'shop.example.com',
      'com.df.servicePath': '/cart,/checkout',
      'com.df.port': '8080',
    },
  });
  await untilResponds({ url: `${stack.httpUrl}/cart`, host: 'shop.example.com' }, 200);
  await withPage(async (page) => {
    await logIn(page, stack.consul);
    await page.goto(`${stack.consul.url}/ui/swarmgate/kv/swarmgate/services/swarm/shop/edit`);
    await page.locator('.CodeMirror').waitFor();
    await page.screenshot({ path: file });
  });
  console.log(file);
} finally {
  await stack.remove();
}
process.exit(0);
