import type { RenewalWindow } from '../protocol/resources.ts';

const dayMs = 86_400_000;
/** Below this lifetime a certificate is renewed at half of it, above at two thirds. */
const shortLifeMs = 10 * dayMs;

export interface Lifetime {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** When a certificate is renewed whose CA gives no renewal information: at 2/3 of its life, at 1/2 below ten days. */
export function renewalByLifetimeMs({ notBeforeMs, notAfterMs }: Lifetime): number {
  const lifeMs = notAfterMs - notBeforeMs;
  return notBeforeMs + Math.floor(lifeMs < shortLifeMs ? lifeMs / 2 : (lifeMs * 2) / 3);
}

/**
 * A random moment of the CA's window (RFC 9773, section 4.2); at once where the window is over. Never after the end of
 * the certificate's life less a tenth of it, whatever window the CA gives.
 * @param random from 0 to 1, one for each window
 */
export function renewalInWindowMs(window: RenewalWindow, life: Lifetime, random: number): number {
  const chosenMs = window.startMs + Math.floor((window.endMs - window.startMs) * random);
  const latestMs = life.notAfterMs - Math.floor((life.notAfterMs - life.notBeforeMs) / 10);
  return Math.min(chosenMs, latestMs);
}

/** How long to wait until the renewal information is read again, within the limits of RFC 9773, section 4.3. */
export function renewalPollMs(retryAfterMs: number | undefined): number {
  const requiredMs = retryAfterMs ?? dayMs / 4;
  return Math.min(Math.max(requiredMs, 60_000), dayMs);
}

/** From when on a certificate that still is not renewed is a problem: 14 days before its end, or a third of its life. */
export function endsSoonMs({ notBeforeMs, notAfterMs }: Lifetime): number {
  return notAfterMs - Math.min(14 * dayMs, (notAfterMs - notBeforeMs) / 3);
}
