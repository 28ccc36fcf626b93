import { type ProblemPlace, problemPlaces, problemReasons } from '@swarmgate/labels';
import { code, generatedNote, table } from './markdown.ts';

/** docs/problems.md: every reason of a problem, by where it is reported. */
export function problemsPage(): string {
  return `${[
    '# Problems',
    generatedNote('the catalogue in `packages/labels/src/definition`'),
    intro,
    ...Object.entries(problemPlaces).flatMap(([place, title]) => [`## ${title}`, tableOf(place as ProblemPlace)]),
  ].join('\n\n')}\n`;
}

const intro = `What stands in the way of a service, or of a whole proxy, is a *problem*: \`GET /v1/problems\`, \`swarmgate problems\`, the console, the keys
\`problems/…\` in Consul ([registry.md](registry.md)), the log and \`swarmgate_problems\` ([metrics.md](metrics.md)) show it with \`severity\`,
\`reason\`, \`message\` and, where there is one, \`label\`, \`value\`, \`suggestion\` and \`otherService\`. \`error\` rejects the definition, whose last good version
stays in force; \`warning\` costs only what \`message\` names. A problem ends by itself once its cause is gone. Reasons of single responses are in
[forwarding.md](forwarding.md#responses-of-the-proxy-itself). \`acme-<type>\` may also be a type of a CA that is not listed here (RFC 8555, section 6.7).`;

function tableOf(place: ProblemPlace): string {
  return table(
    ['Reason', 'Meaning', 'Remedy'],
    Object.entries(problemReasons)
      .filter(([, entry]) => entry.place === place)
      .map(([reason, { meaning, mend }]) => [code(reason), meaning, mend]),
  );
}
