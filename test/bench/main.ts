import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { installParts } from '../../scripts/setup/install-parts.mjs';
import { benchChanges } from './changes.ts';
import { benchFloods, floodsSection } from './floods.ts';
import { benchFootprint } from './footprint.ts';
import { beforeDirectory } from './forwarding/cases.ts';
import { benchForwarding } from './forwarding.ts';
import { withRows, withSection } from './performance-page.ts';
import { forwardingSection, machineLine, routingSection } from './report.ts';
import { benchRouting } from './routing.ts';
import { benchStart } from './start.ts';
import { benchTails, tailsSection } from './tails.ts';

// `npm run bench [-- --quick] [--only "POST"] [--part forwarding|routing|footprint|changes|tails|start|floods]`. Figures go to
// docs/performance.md, unless it is a quick run, or one of two versions. The parts `forwarding`, `tails` and `start` are measured in
// steps by `--only` (of `start`: `commands`, `connections`, `http2`, `start`, `workers`), each of which replaces its own rows.
const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
    part: {
      type: 'string',
      multiple: true,
      default: ['forwarding', 'routing', 'footprint', 'changes', 'tails', 'start', 'floods'],
    },
  },
});
// A case that finds its program missing ends the run: what can be installed is, as `npm test` does. What is missing then is named.
await installParts(['bench']);
const page = new URL('../../docs/performance.md', import.meta.url);
const say = (line: string) => console.error(line);
const haveSteps = new Set(['forwarding', 'tails', 'start']);
const isWhole = values.only.length === 0;
const publish =
  !values.quick && beforeDirectory === undefined && (isWhole || values.part.every((part) => haveSteps.has(part)));
const put = isWhole ? withSection : withRows;
const machine = await machineLine();
let text = await readFile(page, 'utf8');

if (values.part.includes('forwarding')) {
  const section = forwardingSection(await benchForwarding({ quick: values.quick, only: values.only, say }), machine);
  console.log(section);
  text = put(text, 'forwarding', section);
}
if (values.part.includes('routing')) {
  say('route table');
  const section = routingSection(await benchRouting(), machine);
  console.log(section);
  text = withSection(text, 'routing', section);
}
if (values.part.includes('footprint')) {
  say('memory and stalls');
  const section = routingSection(await benchFootprint({ quick: values.quick, say }), machine);
  console.log(section);
  text = withSection(text, 'footprint', section);
}
if (values.part.includes('changes')) {
  say('changes');
  const section = routingSection(await benchChanges({ quick: values.quick, say }), machine);
  console.log(section);
  text = withSection(text, 'changes', section);
}
if (values.part.includes('tails')) {
  say('tails');
  const section = tailsSection(await benchTails({ quick: values.quick, only: values.only, say }), machine);
  console.log(section);
  text = put(text, 'tails', section);
}
if (values.part.includes('start')) {
  say('start, memory of all processes, shares of workers');
  const section = routingSection(await benchStart({ quick: values.quick, only: values.only, say }), machine);
  console.log(section);
  text = put(text, 'start', section);
}
if (values.part.includes('floods')) {
  say('another client beside floods');
  const section = floodsSection(await benchFloods({ quick: values.quick, only: values.only, say }), machine);
  console.log(section);
  text = withSection(text, 'floods', section);
}
if (publish) {
  await writeFile(page, text);
  say(`written to ${page.pathname}`);
}
