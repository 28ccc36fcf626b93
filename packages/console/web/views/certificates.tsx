import { useSignal } from '@preact/signals';
import { CallError, change, read } from '../api.ts';
import { describeLeft } from '../certificate-end.ts';
import { type ChangeOutcome, outcomeOf, refusedOutcome } from '../change-outcome.ts';
import { ChangeResult } from '../change-result.tsx';
import { formatTime } from '../format.ts';
import { Empty, Loading, Outcome, TableBox, TableHead } from '../parts.tsx';
import { session, certificates as streamed } from '../store.ts';
import type { Certificates } from '../types.ts';
import { useStreamed } from '../use-streamed.ts';

const everyMs = 5_000;

/** Which names have a certificate, until when, and what keeps the others waiting. */
export function CertificatesView() {
  const mayRead = session.value?.mayChange === true;
  const [{ value, error }, again] = useStreamed(
    streamed.value,
    mayRead ? 'certificates' : undefined,
    () => read<Certificates>('/v1/certificates'),
    { everyMs },
  );
  const outcome = useSignal<ChangeOutcome | undefined>(undefined);
  const renew = async (name: string) => {
    try {
      const response = await change('POST', '/v1/certificates/renew', {}, { name });
      outcome.value = outcomeOf(response, `${name} is ordered now.`);
      again();
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      outcome.value = refusedOutcome(error);
    }
  };
  if (!mayRead)
    return (
      <Empty title="Certificates name hosts">
        <p>Log in with the admin token to see them.</p>
      </Empty>
    );
  if (value === undefined) return error === undefined ? <Loading /> : <Outcome kind="error">{error}</Outcome>;
  return (
    <section>
      <h1>Certificates</h1>
      {outcome.value !== undefined && <ChangeResult outcome={outcome.value} />}
      {!value.ordering && (
        <p class="hint">
          None is ordered: ACME_DIRECTORY is not set. Certificates come from files, secrets and the REST.
        </p>
      )}
      {value.waiting.length > 0 && (
        <>
          <h2>Names that wait for one</h2>
          <ul class="cards">
            {value.waiting.map(({ name, state, failures, nextAttempt, detail }) => (
              <li key={name} class={`card ${state === 'ordering' ? '' : 'warning'}`}>
                <h3>
                  {name}: {state}
                </h3>
                {detail !== undefined && <p>{detail}</p>}
                <p class="hint">
                  {failures} failed {failures === 1 ? 'try' : 'tries'}
                  {nextAttempt !== undefined && `, next ${formatTime(nextAttempt)}`}
                </p>
                {session.value?.mayChange === true && (
                  <button type="button" onClick={() => void renew(name)}>
                    Try now
                  </button>
                )}
              </li>
            ))}
          </ul>
        </>
      )}
      {value.certificates.length === 0 ? (
        <Empty title="No certificate">
          <p>Put a PEM file with chain and key into the certs folder, or set ACME_DIRECTORY=letsencrypt.</p>
        </Empty>
      ) : (
        <TableBox title="Certificates">
          <table>
            <TableHead titles={['Names', 'From', 'Ends', 'Left', 'Renews', '']} />
            <tbody>
              {value.certificates.map(({ name, hosts, expiresAt, from, issuer, renewAt }) => {
                const left = describeLeft(Date.parse(expiresAt) - Date.now());
                return (
                  <tr key={`${from}/${name}/${expiresAt}`}>
                    <th scope="row">
                      <bdi>{hosts.join(', ') || name}</bdi>
                    </th>
                    <td>{issuer ?? from}</td>
                    <td>{formatTime(expiresAt)}</td>
                    <td>
                      <span class={`badge ${left.kind}`}>
                        <span aria-hidden="true">{left.mark}</span> {left.text}
                      </span>
                    </td>
                    <td>{renewAt === undefined ? '–' : formatTime(renewAt)}</td>
                    <td>
                      {from === 'acme' && hosts[0] !== undefined && (
                        <button type="button" class="quiet" onClick={() => void renew(hosts[0] as string)}>
                          Renew now
                        </button>
                      )}
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </TableBox>
      )}
    </section>
  );
}
