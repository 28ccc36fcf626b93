import { isDeepStrictEqual } from 'node:util';
import type { Problem, ProblemReason } from '@swarmgate/labels';
import { readTraefikArgs, type TraefikArgs, type TraefikOptions, traefikLines } from '@swarmgate/labels/traefik';
import { messageOf, readSettings, type Settings } from '@swarmgate/runtime';
import type { SwarmService, TraefikProcess } from '../swarm/swarm-objects.ts';
import type { SwarmView } from '../swarm/swarm-view.ts';
import { type TraefikSettings, traefikOptionsOf } from './label-families.ts';

/** The settings that the flags of the Traefik service in the same Swarm give. */
export type TraefikFlagsState =
  | { readonly kind: 'none'; readonly options: TraefikOptions }
  | {
      readonly kind: 'read';
      readonly service: Pick<SwarmService, 'id' | 'name'>;
      readonly flags: TraefikArgs;
      readonly options: TraefikOptions;
    }
  /** They may restrict, so nothing is published for labels of Traefik, and what is registered stays. */
  | { readonly kind: 'unknown'; readonly problem: Problem };

export interface TraefikFlags {
  /** The same object as long as nothing changed. */
  take(view: SwarmView): TraefikFlagsState;
}

export type TraefikFlagsSettings = TraefikSettings & Pick<Settings, 'traefikService'>;

/**
 * Reads the flags of the Swarm's Traefik service as `--traefik-args` reads a file of them; settings of the listener's own count first.
 * @param readsFile `TRAEFIK_FILE` is set
 * @throws UsageError for settings that cannot be read
 */
export function createTraefikFlags(settings: TraefikFlagsSettings, readsFile: boolean): TraefikFlags {
  const alone = { kind: 'none', options: traefikOptionsOf(settings) } as const;
  let state: TraefikFlagsState = alone;
  let seen: readonly unknown[] = [];
  /** Of flags that were read once: a Traefik that is gone must not open what they closed. */
  let settingsWithFlags: TraefikSettings | undefined;
  let closedTls = false;

  function stateOf(candidates: readonly (SwarmService & { readonly traefik: TraefikProcess })[]): TraefikFlagsState {
    const [first, ...more] = candidates;
    if (first === undefined) {
      const isMissed =
        settings.traefikService !== undefined ||
        closedTls ||
        (settingsWithFlags !== undefined && !isDeepStrictEqual(settingsWithFlags, onlyTraefik(settings)));
      return isMissed ? { kind: 'unknown', problem: missing(settings.traefikService) } : alone;
    }
    const others = more.filter(({ traefik }) => !isDeepStrictEqual(traefik, first.traefik));
    if (others.length > 0) return { kind: 'unknown', problem: ambiguous([first, ...others]) };
    const { id, name, traefik } = first;
    const lines = traefikLines(traefik.args, traefik.environment);
    const file =
      traefik.staticFile ?? lines.map((line) => /^--?configfile[=\s](.*)$/i.exec(line)?.[1]).find((path) => path);
    if (file !== undefined) return { kind: 'unknown', problem: inFile(name, file) };
    const flags = readTraefikArgs(lines, { readsFile });
    try {
      const merged = withFlags(settings, flags);
      const { closesTls } = flags;
      const options = { ...traefikOptionsOf(merged), ...(closesTls === undefined ? {} : { closesTls }) };
      settingsWithFlags = onlyTraefik(merged);
      closedTls = closesTls !== undefined;
      const isBound =
        settings.traefikService !== undefined ||
        (!closedTls && isDeepStrictEqual(settingsWithFlags, onlyTraefik(settings)));
      const problems = isBound ? flags.problems : [...flags.problems, unnamed(name)];
      return { kind: 'read', service: { id, name }, flags: { ...flags, problems }, options };
    } catch (error) {
      return { kind: 'unknown', problem: unreadable(name, messageOf(error)) };
    }
  }

  return {
    take(view) {
      if (settings.traefikService === 'off') return alone;
      const candidates = traefikServicesIn(view.services.values()).filter(
        ({ name }) => settings.traefikService === undefined || name === settings.traefikService,
      );
      const now = candidates.map(({ id, traefik }) => [id, traefik]);
      if (isDeepStrictEqual(now, seen) && state !== alone) return state;
      seen = now;
      const next = stateOf(candidates);
      if (!isDeepStrictEqual(comparable(state), comparable(next))) state = next;
      return state;
    },
  };
}

/** Those whose image is called `traefik`, the oldest first. */
export function traefikServicesIn(
  services: Iterable<SwarmService>,
): readonly (SwarmService & { readonly traefik: TraefikProcess })[] {
  return [...services]
    .flatMap((service) => (service.traefik === undefined ? [] : [{ ...service, traefik: service.traefik }]))
    .toSorted((one, other) => (`${one.createdAt} ${one.id}` < `${other.createdAt} ${other.id}` ? -1 : 1));
}

/**
 * Settings, with those of the flags where they are not given themselves.
 * @throws UsageError where the flags hold what no setting takes
 */
export function withFlags<S extends TraefikSettings>(settings: S, flags: TraefikArgs): S {
  const ofListener = flags.settings.filter(({ of }) => of === 'listener').map(({ setting }) => setting);
  const env = Object.fromEntries(
    ofListener.map((setting) => [setting.replace(/=.*$/s, ''), setting.replace(/^[^=]*=/, '')]),
  );
  const read = onlyTraefik(readSettings('listener', { env, secretsDir: '/nonexistent' }));
  const given = Object.fromEntries(Object.entries(onlyTraefik(settings)).filter(([, value]) => value !== undefined));
  return {
    ...settings,
    ...read,
    ...given,
    traefikOfEntrypoints: { ...read.traefikOfEntrypoints, ...settings.traefikOfEntrypoints },
  };
}

function onlyTraefik(settings: TraefikSettings): TraefikSettings {
  return {
    traefikExposedByDefault: settings.traefikExposedByDefault,
    traefikConstraints: settings.traefikConstraints,
    traefikEntrypoints: settings.traefikEntrypoints,
    traefikDefaultRule: settings.traefikDefaultRule,
    traefikNetwork: settings.traefikNetwork,
    traefikOfEntrypoints: settings.traefikOfEntrypoints,
  };
}

/** Without functions, which compare by identity. */
function comparable(state: TraefikFlagsState): unknown {
  return state.kind === 'read' ? [state.service, state.flags] : state.kind === 'none' ? 'none' : state.problem;
}

const mend = 'set settings of the listener equivalent to its flags (docs/from-traefik.md), and TRAEFIK_SERVICE=off';

function unknown(reason: ProblemReason, message: string, suggestion: string): Problem {
  return {
    severity: 'error',
    reason,
    message: `${message}: what is registered for labels of Traefik stays as it is, and nothing new is served, because flags may restrict`,
    suggestion,
  };
}

/** A listener that starts after Traefik was removed cannot know that its flags restricted. */
function unnamed(name: string): Problem {
  return {
    severity: 'warning',
    reason: 'traefik-service-unnamed',
    message: `the flags of ${name} hold as long as it is there; a listener that starts without it would serve what they close`,
    suggestion: `set TRAEFIK_SERVICE=${name}, so that nothing new is served while it is missing`,
  };
}

function missing(name: string | undefined): Problem {
  const message =
    name === undefined
      ? 'the Traefik service whose flags were read is gone'
      : `TRAEFIK_SERVICE=${name}: the Swarm has no service ${name} whose image is called traefik`;
  return unknown('traefik-service-missing', message, mend);
}

function ambiguous(services: readonly SwarmService[]): Problem {
  const names = services.map(({ name }) => name);
  return unknown(
    'traefik-service-ambiguous',
    `several services run Traefik with different flags (${names.join(', ').slice(0, 300)})`,
    `name one: TRAEFIK_SERVICE=${names[0]}; or ${mend}`,
  );
}

function inFile(name: string, file: string): Problem {
  return unknown(
    'traefik-static-file',
    `${name} has its static settings in ${file.slice(0, 200)}, which is not read`,
    mend,
  );
}

function unreadable(name: string, why: string): Problem {
  return unknown('traefik-flags-unreadable', `the flags of ${name} cannot be read: ${why.slice(0, 500)}`, mend);
}
