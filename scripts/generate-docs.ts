import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { generatedPages } from './docs/pages.ts';

// `npm run docs`: writes what test/docs/generated-docs.test.ts compares.
for (const [path, page] of Object.entries(generatedPages)) {
  await writeFile(fileURLToPath(new URL(`../${path}`, import.meta.url)), await page());
  console.log(path);
}
