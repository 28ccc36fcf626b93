import { useSignal } from '@preact/signals';
import type { FunctionComponent } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { formatDuration, formatTime } from './format.ts';
import { hashOf, type View } from './route-hash.ts';
import { connection, failure, keyProblems, place, problems, refresh, session, status } from './store.ts';
import { ThemeButton } from './theme.tsx';
import { CertificatesView } from './views/certificates.tsx';
import { ExplainView } from './views/explain.tsx';
import { LiveView } from './views/live.tsx';
import { LoginView, LogoutButton } from './views/login.tsx';
import { MaintenanceView } from './views/maintenance.tsx';
import { ManualView } from './views/manual.tsx';
import { ProblemsView } from './views/problems.tsx';
import { ReplicasView } from './views/replicas.tsx';
import { ServiceView } from './views/service.tsx';
import { ServicesView } from './views/services.tsx';

const titles: Readonly<Record<View, string>> = {
  services: 'Services',
  explain: 'Explain',
  problems: 'Problems',
  live: 'Live requests',
  replicas: 'Replicas',
  certificates: 'Certificates',
  maintenance: 'Maintenance',
  manual: 'Add a service',
};

const components: Readonly<Record<View, FunctionComponent>> = {
  services: () => (place.value.rest.length >= 2 ? <ServiceView key={place.value.rest.join('/')} /> : <ServicesView />),
  explain: ExplainView,
  problems: ProblemsView,
  live: LiveView,
  replicas: ReplicasView,
  certificates: CertificatesView,
  maintenance: MaintenanceView,
  manual: ManualView,
};

export function App() {
  const view = Object.hasOwn(components, place.value.view) ? (place.value.view as View) : 'services';
  const main = useRef<HTMLElement>(null);
  const isFirst = useRef(true);
  const title = titles[view];
  useEffect(() => {
    document.title = `${title} – Swarmgate`;
    // A screen reader announces no changed fragment.
    if (isFirst.current) isFirst.current = false;
    else main.current?.focus();
  }, [title]);
  const isRequested = place.value.view === 'login' && session.value?.login === true;
  if (isRequested || session.value?.mayRead === false) return <LoginView />;
  const Current = components[view];
  return (
    <>
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to the content
      </button>
      <Header current={view} />
      <main id="main" ref={main} tabIndex={-1} aria-label={title}>
        <Banner />
        <PlainTokenWarning />
        <Current />
      </main>
    </>
  );
}

function Header({ current }: { readonly current: View }) {
  const wrong = problems.value.length + keyProblems.value.length;
  const now = status.value;
  // On a narrow screen the views are behind a button.
  const isOpen = useSignal(false);
  const toggle = () => {
    isOpen.value = !isOpen.value;
  };
  const close = () => {
    isOpen.value = false;
  };
  return (
    <header class={isOpen.value ? 'open' : undefined}>
      <a class="brand" href={hashOf('services')}>
        <img src="/icon.svg" alt="" width="22" height="22" />
        <span class="name">Swarmgate</span>
      </a>
      <button type="button" class="quiet menu" aria-expanded={isOpen.value} aria-controls="views" onClick={toggle}>
        <span aria-hidden="true">☰</span> {titles[current]}
        {wrong > 0 && <span class="count">{`▲ ${wrong}`}</span>}
      </button>
      <nav id="views" aria-label="Views">
        {(Object.keys(titles) as View[]).map((view) => (
          <a key={view} href={hashOf(view)} aria-current={view === current ? 'page' : undefined} onClick={close}>
            {titles[view]}
            {view === 'problems' && wrong > 0 && <span class="count">{wrong}</span>}
          </a>
        ))}
      </nav>
      <div class="who">
        <ConnectionBadge />
        {now !== undefined && (
          <span
            class="replica"
            title={`version ${now.version}, up ${formatDuration(Date.now() - Date.parse(now.since))}`}
          >
            {now.instance} · {now.replica}
          </span>
        )}
        <ThemeButton />
        <LogoutButton />
      </div>
    </header>
  );
}

const connections: Readonly<Record<typeof connection.value, readonly [kind: string, mark: string, title: string]>> = {
  connecting: ['warning', '○', 'the stream of changes is being opened'],
  live: ['ok', '●', 'changes come as they happen'],
  polling: ['warning', '◐', 'requested every 2 s: something between this page and the proxy holds events back'],
  disconnected: ['down', '✕', 'the proxy does not respond'],
};

/** How up to date the page is, and whether it may change anything. */
function ConnectionBadge() {
  const [kind, mark, title] = connections[connection.value];
  return (
    <span class={`badge connection ${kind}`} role="status" title={title}>
      <span aria-hidden="true">{mark}</span> {connection.value}
      {session.value?.mayChange === false && ', read-only'}
    </span>
  );
}

/** An eavesdropper on the network could read the token, and do all that it allows. */
function PlainTokenWarning() {
  const plain = status.value?.tokenInPlain;
  if (!plain) return null;
  return (
    <p class="banner warning" role="status">
      <strong>The admin token passed a network in plain text</strong> (from {plain.from}, {formatTime(plain.at)}). Set{' '}
      <code>ADMIN_TLS</code>, or reach this port by an SSH tunnel; then replace the token.
    </p>
  );
}

/** What limits the console itself: its data may be old, or it may not change anything. */
function Banner() {
  const error = failure.value;
  const now = status.value;
  if (error !== undefined)
    return (
      <p class="banner error" role="alert">
        <strong>{error.status === 0 ? 'Disconnected.' : 'The proxy refused a call.'}</strong> {error.message}. What is
        shown is the last that was read.{' '}
        <button type="button" class="bare" onClick={() => void refresh(true)}>
          Try now
        </button>
      </p>
    );
  if (now !== undefined && !now.registry.reachable)
    return (
      <p class="banner warning" role="status">
        <strong>The registry is away</strong> ({now.registry.description}). Routes are served as they were
        {now.ageMs !== null && ` ${formatDuration(now.ageMs)} ago`}; changes wait until it is back.
      </p>
    );
  if (session.value !== undefined && !session.value.mayChange)
    return (
      <p class="banner" role="status">
        <strong>Read-only.</strong>{' '}
        {session.value.login ? (
          <a href="#/login">Log in with the admin token to see figures and to change anything</a>
        ) : (
          session.value.objection
        )}
      </p>
    );
  return null;
}
