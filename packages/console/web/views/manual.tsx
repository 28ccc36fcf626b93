import { useSignal } from '@preact/signals';
import { CallError, change, read } from '../api.ts';
import { BarrierProgress } from '../barrier-progress.tsx';
import { type ChangeOutcome, outcomeOf, refusedOutcome } from '../change-outcome.ts';
import { ChangeResult } from '../change-result.tsx';
import { asRegistered, differencesOf } from '../definition-diff.ts';
import { Dialog } from '../dialog.tsx';
import { asJson, clearDraft, draft, fromForm, parsed } from '../manual-draft.ts';
import { Empty, Outcome } from '../parts.tsx';
import { hashOf } from '../route-hash.ts';
import { refresh, session } from '../store.ts';
import type { ChangeResponse, Definition, Services } from '../types.ts';
import { Differences } from './history.tsx';

/** A service outside the Swarm, or one that the Swarm publishes otherwise: owner `manual`. */
export function ManualView() {
  const { name, host, path, address, json } = draft;
  const step = useSignal<'edit' | 'review' | 'saving'>('edit');
  const standing = useSignal<Definition | undefined>(undefined);
  const checked = useSignal<ChangeResponse | undefined>(undefined);
  /** `saved`: the name of the service. */
  const outcome = useSignal<ChangeOutcome & { readonly response?: ChangeResponse; readonly saved?: string }>();
  if (session.value?.mayChange !== true)
    return (
      <Empty title="Changes need a login">
        <p>{session.value?.login === true ? 'Log in with the admin token.' : session.value?.objection}</p>
      </Empty>
    );
  const fields = { name: name.value, host: host.value, path: path.value, address: address.value };
  const given = json.value === undefined ? fromForm(fields) : parsed(json.value);
  const refused = (error: unknown) => {
    if (!(error instanceof CallError)) throw error;
    const { response } = error;
    outcome.value = { ...refusedOutcome(error), ...(response === undefined ? {} : { response }) };
  };

  const review = async (event: Event) => {
    event.preventDefault();
    outcome.value = undefined;
    if (!given.ok) {
      outcome.value = { kind: 'error', text: given.message };
      return;
    }
    try {
      checked.value = await change('POST', '/v1/check', given.definition);
      const found = await read<Services>('/v1/services', {
        service: String(given.definition.service),
        owner: 'manual',
      });
      standing.value = found.services[0]?.definition;
      step.value = 'review';
    } catch (error) {
      refused(error);
    }
  };
  const save = async () => {
    if (!given.ok) return;
    step.value = 'saving';
    try {
      const response = await change('POST', '/v1/reconfigure', given.definition);
      const saved = String(given.definition.service);
      outcome.value = { ...outcomeOf(response, 'It is served.'), response, saved };
      clearDraft();
      await refresh(true);
    } catch (error) {
      refused(error);
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
          <Mends response={outcome.value.response} />
          {outcome.value.saved !== undefined && (
            <>
              {' '}
              <a href={hashOf('services', ['manual', outcome.value.saved])}>Show it</a>
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
            {text('Address of the service', address, '10.0.0.7:8080')}
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
              json.value = json.value === undefined ? asJson(fields) : undefined;
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
          <Warnings response={checked.value} />
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

/** What to do about each problem; the messages stand in the outcome's own text. */
function Mends({ response }: { readonly response: ChangeResponse | undefined }) {
  return response?.problems?.map(({ reason, message, suggestion }) => (
    <span class="line" key={reason + message}>
      {response.Message?.includes(message) !== true && `${message}. `}
      {suggestion}
    </span>
  ));
}

/** What the check of a definition that can be served found. */
function Warnings({ response }: { readonly response: ChangeResponse | undefined }) {
  const { problems = [], warnings = [] } = response ?? {};
  if (problems.length + warnings.length === 0) return null;
  return (
    <Outcome kind="warning">
      <strong>It can be served, but:</strong>
      {warnings.map((each) => (
        <span class="line" key={each}>
          {each}
        </span>
      ))}
      {problems.map(({ reason, message, suggestion }) => (
        <span class="line" key={reason + message}>
          {message}. {suggestion}
        </span>
      ))}
    </Outcome>
  );
}
