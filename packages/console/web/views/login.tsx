import { useSignal } from '@preact/signals';
import { CallError, change } from '../api.ts';
import { clearDraft } from '../manual-draft.ts';
import { Outcome } from '../parts.tsx';
import { refresh, session } from '../store.ts';

/** Where nothing may be read: the login, or what an operator sets so that there is one. */
export function LoginView() {
  return (
    <main class="login" aria-label="Log in">
      <h1>
        <img src="/icon.svg" alt="" width="28" height="28" /> Swarmgate
      </h1>
      {session.value?.login === true ? <LoginForm /> : <p>{session.value?.objection}</p>}
    </main>
  );
}

export function LoginForm() {
  const token = useSignal('');
  const error = useSignal<string | undefined>(undefined);
  const isBusy = useSignal(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    isBusy.value = true;
    error.value = undefined;
    try {
      await change('POST', '/v1/session', { token: token.value });
      token.value = '';
      if (location.hash === '#/login') location.hash = '';
      await refresh(true);
    } catch (failed) {
      if (!(failed instanceof CallError)) throw failed;
      error.value = failed.message;
    } finally {
      isBusy.value = false;
    }
  };
  return (
    <form onSubmit={(event) => void submit(event)}>
      <label>
        <span>Admin token</span>
        <input
          type="password"
          autocomplete="current-password"
          required
          value={token.value}
          onInput={(event) => {
            token.value = event.currentTarget.value;
          }}
        />
      </label>
      <button type="submit" disabled={isBusy.value}>
        {isBusy.value ? 'Checking …' : 'Log in'}
      </button>
      {error.value !== undefined && <Outcome kind="error">{error.value}</Outcome>}
      <p class="hint">
        The value of ADMIN_TOKEN, or of the secret <code>dfp_admin_token</code>. The login lasts 12 hours, on every
        replica.
      </p>
    </form>
  );
}

export function LogoutButton() {
  if (session.value === undefined || session.value.endsAt === null) return null;
  const logout = async () => {
    try {
      await change('DELETE', '/v1/session', {});
      clearDraft();
    } finally {
      await refresh(true);
    }
  };
  return (
    <button type="button" class="quiet" onClick={() => void logout()}>
      Log out
    </button>
  );
}
