// Loaded before everything else by scripts/mutants.mjs: changes the source of one file as it is read.
import { registerHooks } from 'node:module';

const mutant = JSON.parse(process.env.SWARMGATE_MUTANT ?? 'null');
if (mutant !== null) {
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      if (url !== mutant.file) return loaded;
      const source = Buffer.from(loaded.source)
        .toString('utf8')
        .replace(mutant.find, () => mutant.plant);
      return { ...loaded, source };
    },
  });
}
