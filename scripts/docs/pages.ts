import { environmentPage } from './environment-page.ts';
import { labelsPage } from './labels-page.ts';
import { metricsPage } from './metrics-page.ts';
import { middlewaresPage } from './middlewares-page.ts';
import { migrationPage } from './migration-page.ts';
import { problemsPage } from './problems-page.ts';
import { traefikLabelsPage } from './traefik-labels-page.ts';
import { traefikPage } from './traefik-page.ts';

/** Every generated page, by its path in the repository. */
export const generatedPages: Readonly<Record<string, () => string | Promise<string>>> = {
  'docs/labels.md': labelsPage,
  'docs/middlewares.md': middlewaresPage,
  'docs/environment.md': environmentPage,
  'docs/metrics.md': metricsPage,
  'docs/problems.md': problemsPage,
  'docs/migrating-from-docker-flow.md': migrationPage,
  'docs/from-traefik.md': traefikPage,
  'docs/traefik-labels.md': traefikLabelsPage,
};
