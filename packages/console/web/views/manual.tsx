import { useSignal } from '@preact/signals';
import { CallError, change, read } from '../api.ts';
import { BarrierProgress } from '../barrier-progress.tsx';
import { type ChangeOutcome, outcomeOf } from '../change-outcome.ts';
import { ChangeResult } from '../change-result.tsx';
import { asRegistered, differencesOf } from '../definition-diff.ts';
import { Dialog } from '../dialog.tsx';
import { Empty } from '../parts.tsx';
import { hashOf } from '../route-hash.ts';
import { refresh, session } from '../store.ts';
import type { ChangeResponse, Definition, Services } from '../types.ts';
import { Differences } from './history.tsx';

const example = {
  service: 'shop',
  destinations: [{ serviceDomain: ['shop.example'], servicePath: ['/'], outboundHostname: '10.0.0.7', port: 8080 }],
};

/** A service outside the Swarm, or one that the Swarm publishes otherwise: owner `manual`. */
export function ManualView() {
  const name = useSignal('');
  const host = useSignal('');
  const path = useSignal('/');
  const target = useSignal('');
  const json = useSignal<string | undefined>(undefined);
  const step = useSignal<'edit' | 'review' | 'saving'>('edit');
  const standing = useSignal<Definition | undefined>(undefined);
  const outcome = useSignal<ChangeOutcome & { readonly response?: ChangeResponse }>();
  if (session.value?.mayChange !== true)
    return (
      <Empty title="Changes need a login">
        <p>{session.value?.login === true ? 'Log in with the admin token.' : session.value?.objection}</p>
      </Empty>
    );
  const given =
    json.value === undefined ? fromForm(name.value, host.value, path.value, target.value) : parsed(json.value);

  const review = async (event: Event) => {
    event.preventDefault();
    outcome.value = undefined;
    if (!given.ok) {
      outcome.value = { kind: 'error', text: given.message };
      return;
    }
    try {
      const found = await read<Services>('/v1/services', {
        service: String(given.definition.service),
        owner: 'manual',
      });
      standing.value = found.services[0]?.definition;
      step.value = 'review';
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      outcome.value = { kind: 'error', text: error.message };
    }
  };
  const save = async () => {
    if (!given.ok) return;
    step.value = 'saving';
    try {
      const response = await change('POST', '/v1/reconfigure', given.definition);
      outcome.value = { ...outcomeOf(response, 'It is served.'), response };
      await refresh(true);
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      outcome.value = {
        kind: 'error',
        text: error.message,
        ...(error.response === undefined ? {} : { response: error.response }),
      };
    }
    step.value = 'edit';
  };
  const back = () => {
    if (step.value === 'review') step.value = 'edit';
  };
  const text = (title: string, field: typeof name, placeholder: string, required = true) => (
    <label>
      <span>{title}</span>
      <input
        required={required}
        value={field.value}
        placeholder={placeholder}
        onInput={(event) => {
          field.value = event.currentTarget.value;
        }}
      />
    </label>
  );
  return (
    <section>
      <h1>Add or replace a service of owner manual</h1>
      {outcome.value !== undefined && (
        <ChangeResult outcome={outcome.value}>
          {outcome.value.response?.problems?.map(({ reason, message, suggestion }) => (
            <span class="line" key={reason + message}>
              {message} {suggestion}
            </span>
          ))}
          {outcome.value.kind !== 'error' && given.ok && (
            <>
              {' '}
              <a href={hashOf('services', ['manual', String(given.definition.service)])}>Show it</a>
            </>
          )}
        </ChangeResult>
      )}
      <form class="stack" onSubmit={(event) => void review(event)}>
        {json.value === undefined ? (
          <>
            {text('Name', name, 'shop')}
            {text('Host', host, 'shop.example', false)}
            {text('Path', path, '/')}
            {text('Address of the service', target, '10.0.0.7:8080')}
          </>
        ) : (
          <label>
            <span>Definition as JSON (docs/labels.md names every field)</span>
            <textarea
              rows={16}
              class="code"
              spellcheck={false}
              value={json.value}
              onInput={(event) => {
                json.value = event.currentTarget.value;
              }}
            />
          </label>
        )}
        <div class="actions">
          <button type="submit">Show what changes</button>
          <button
            type="button"
            class="quiet"
            onClick={() => {
              json.value =
                json.value === undefined ? JSON.stringify(given.ok ? given.definition : example, null, 2) : undefined;
            }}
          >
            {json.value === undefined ? 'Write JSON instead' : 'Use the form'}
          </button>
        </div>
      </form>
      {step.value !== 'edit' && given.ok && (
        <Dialog title={standing.value === undefined ? 'It is new' : 'It is replaced'} onCancel={back}>
          <Differences
            differences={
              standing.value === undefined
                ? differencesOf({}, given.definition)
                : differencesOf(standing.value, asRegistered(given.definition, 'manual'))
            }
          />
          {step.value === 'saving' && <BarrierProgress />}
          <div class="actions">
            <button type="button" disabled={step.value === 'saving'} onClick={() => void save()}>
              {step.value === 'saving' ? 'Waiting for all replicas …' : 'Save'}
            </button>
            <button type="button" class="quiet" disabled={step.value === 'saving'} onClick={back}>
              Back
            </button>
          </div>
        </Dialog>
      )}
    </section>
  );
}

type Given = { readonly ok: true; readonly definition: Definition } | { readonly ok: false; readonly message: string };

function fromForm(name: string, host: string, path: string, target: string): Given {
  const found = /^(.+):(\d{1,5})$/.exec(target.trim());
  if (found === null) return { ok: false, message: 'The address of the service needs a port: 10.0.0.7:8080' };
  const [, outboundHostname = '', port = ''] = found;
  const destination = {
    ...(host.trim() === '' ? {} : { serviceDomain: [host.trim()] }),
    servicePath: [path.trim() || '/'],
    outboundHostname,
    port: Number(port),
  };
  return { ok: true, definition: { service: name.trim(), destinations: [destination] } };
}

function parsed(json: string): Given {
  try {
    const definition: unknown = JSON.parse(json);
    if (typeof definition === 'object' && definition !== null && 'service' in definition)
      return { ok: true, definition: definition as Definition };
    return { ok: false, message: 'The definition has no field `service`' };
  } catch (error) {
    return { ok: false, message: `This is not JSON: ${(error as Error).message}` };
  }
}
