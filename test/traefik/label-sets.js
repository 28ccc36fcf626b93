import { readFileSync } from 'node:fs';
export const labelSets = JSON.parse(readFileSync(new URL('label-sets.json', import.meta.url), 'utf8')).sets;
//# sourceMappingURL=label-sets.js.map
