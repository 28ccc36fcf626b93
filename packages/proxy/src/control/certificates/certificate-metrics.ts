import type { OrderedCertificate, OrdererEvents } from '@swarmgate/acme';
import { Counter, Gauge, type MetricsRegistry as Metrics } from '@swarmgate/runtime/prometheus';

/** What alerts and dashboards need of certificates that were ordered. Orders are counted by the replica that orders. */
export function measureCertificates(metrics: Metrics, ordered: () => readonly OrderedCertificate[]): OrdererEvents {
  const registers = [metrics];
  const gauge = (name: string, help: string, momentOf: (certificate: OrderedCertificate) => string | undefined) =>
    new Gauge({
      name,
      help,
      labelNames: ['certificate', 'issuer'],
      registers,
      collect() {
        this.reset();
        for (const each of ordered()) {
          const at = momentOf(each);
          if (at !== undefined) this.set({ certificate: each.id, issuer: each.issuer }, Date.parse(at) / 1000);
        }
      },
    });
  gauge(
    'swarmgate_acme_certificate_not_after_timestamp_seconds',
    'When each ordered certificate ends, since the epoch',
    ({ notAfter }) => notAfter,
  );
  gauge(
    'swarmgate_acme_certificate_renewal_timestamp_seconds',
    'When each ordered certificate is renewed, since the epoch; those without a route are not',
    ({ renewAt }) => renewAt,
  );
  const begun = new Counter({
    name: 'swarmgate_acme_orders_total',
    help: 'Orders that this replica began, by issuer',
    labelNames: ['issuer'],
    registers,
  });
  const ended = new Counter({
    name: 'swarmgate_acme_orders_ended_total',
    help: 'Orders that ended here: issued, rehearsed (staging), interrupted (the CA was away), failed',
    labelNames: ['issuer', 'result'],
    registers,
  });
  const failures = new Counter({
    name: 'swarmgate_acme_failures_total',
    help: 'Failed orders by the problem type of the CA',
    labelNames: ['issuer', 'type'],
    registers,
  });
  return {
    orderBegun: (issuer) => begun.inc({ issuer }),
    orderEnded: (issuer, result) => {
      if (typeof result === 'string') ended.inc({ issuer, result });
      else {
        ended.inc({ issuer, result: 'failed' });
        failures.inc({ issuer, type: result.failure });
      }
    },
  };
}
