import { environmentPage } from './environment-page.ts';
import { labelsPage } from './labels-page.ts';
import { migrationPage } from './migration-page.ts';
import { traefikPage } from './traefik-page.ts';

/** Every generated page, by its path in the repository. */
export const generatedPages: Readonly<Record<string, () => string>> = {
  'docs/labels.md': labelsPage,
  'docs/environment.md': environmentPage,
  'docs/migrating-from-docker-flow.md': migrationPage,
  'docs/from-traefik.md': traefikPage,
};
