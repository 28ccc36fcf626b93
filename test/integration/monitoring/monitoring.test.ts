import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { parse } from 'yaml';
import { interpolate } from '../../../packages/cli/src/compose/interpolate.ts';
import {
  type MetricsFormat,
  type MetricWithValues,
  metricsText,
} from '../../../packages/proxy/src/control/serving/metrics-text.ts';
import { createListenerMetrics } from '../../../packages/swarm-listener/src/rest/listener-metrics.ts';
import { proxyMetrics } from '../../../scripts/docs/metrics-page.ts';

const folder = fileURLToPath(new URL('../../../docker/grafana/', import.meta.url));
const stackFile = fileURLToPath(new URL('../../../docker/stack.monitoring.yml', import.meta.url));

/** Prometheus' own tool; what it prints where it objects. */
function promtool(parameters: readonly string[], input = ''): Promise<{ readonly ok: boolean; readonly said: string }> {
  return new Promise((resolve) => {
    const child = execFile('promtool', [...parameters], (error, stdout, stderr) =>
      resolve({ ok: error === null, said: stdout + stderr }),
    );
    child.stdin?.end(input);
  });
}

/** Metric names in queries of PromQL: words that begin as ours do. */
function namesIn(text: string): ReadonlySet<string> {
  return new Set(text.match(/\bswarmgate_[a-z0-9_]+/g) ?? []);
}

interface Board {
  readonly panels: readonly { readonly title: string; readonly targets: readonly { readonly expr: string }[] }[];
}

describe('monitoring', function () {
  this.timeout(60_000);
  let proxy: readonly MetricWithValues[];
  let listener: readonly MetricWithValues[];
  let samples: Set<string>;
  let rules: string;
  let board: Board;

  before(async () => {
    proxy = await (await proxyMetrics()).getMetricsAsJSON();
    const ofListener = createListenerMetrics();
    ofListener.measure(() => ({
      isReady: true,
      isLeading: true,
      isDockerAway: false,
      selectedServices: 1,
      problems: { error: 0, warning: 1 },
      counts: { events: 3 },
    }));
    listener = await ofListener.registry.getMetricsAsJSON();
    samples = new Set();
    for (const { name, type } of [...proxy, ...listener]) {
      const parts = String(type) === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
      for (const part of parts) samples.add(name + part);
    }
    rules = await readFile(join(folder, 'alert-rules.yml'), 'utf8');
    board = JSON.parse(await readFile(join(folder, 'board.json'), 'utf8')) as Board;
  });

  it('names metrics as Prometheus has it', async () => {
    for (const ours of [proxy, listener.filter(({ name }) => name.startsWith('swarmgate_'))]) {
      const { said } = await promtool(['check', 'metrics'], metricsText(ours, 'text' satisfies MetricsFormat));
      expect(said).to.equal('');
    }
    const { ok } = await promtool(['check', 'metrics'], '# HELP a_total A\n# TYPE a_total gauge\na_total 1\n');
    expect(ok, 'a gauge that ends in _total').to.equal(false);
  });

  it('gives each family a name of its own, also in OpenMetrics, where counters have theirs without _total', () => {
    for (const ours of [proxy, listener]) {
      const families = [...metricsText(ours, 'openmetrics').matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
      expect(families).to.have.length.above(5);
      expect(families.filter((name, at) => families.indexOf(name) !== at)).to.deep.equal([]);
    }
  });

  it('draws and alerts on metrics that exist', () => {
    const drawn = board.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
    expect(drawn).to.have.length.above(25);
    const unknown = [...namesIn([...drawn, rules].join('\n'))].filter((name) => !samples.has(name));
    expect(unknown).to.deep.equal([]);
  });

  it('has rules and a configuration that Prometheus takes', async () => {
    expect(await promtool(['check', 'rules', join(folder, 'alert-rules.yml')])).to.include({ ok: true });
    const directory = await mkdtemp(join(tmpdir(), 'swarmgate-prometheus-'));
    try {
      await writeFile(join(directory, 'token'), 'scraper');
      for (const name of ['prometheus.yml', 'prometheus-tls.yml']) {
        const config = await readFile(join(folder, name), 'utf8');
        await writeFile(
          join(directory, name),
          config
            .replace('/etc/prometheus/alert-rules.yml', join(folder, 'alert-rules.yml'))
            .replaceAll('/run/secrets/metrics_token', join(directory, 'token')),
        );
        const checked = await promtool(['check', 'config', join(directory, name)]);
        expect(checked, checked.said).to.include({ ok: true });
      }
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });

  it('has queries on the board that Prometheus takes', async () => {
    const expressions = board.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
    const asRules = {
      groups: [
        {
          name: 'board',
          rules: expressions.map((expr, at) => ({
            record: `board:panel${at}:shown`,
            expr: expr.replaceAll('$service', '.*'),
          })),
        },
      ],
    };
    const directory = await mkdtemp(join(tmpdir(), 'swarmgate-board-'));
    try {
      // JSON is YAML.
      await writeFile(join(directory, 'rules.yml'), JSON.stringify(asRules));
      const checked = await promtool(['check', 'rules', join(directory, 'rules.yml')]);
      expect(checked, checked.said).to.include({ ok: true });
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });

  const alerts = [
    ['SwarmgateNotReady', [['swarmgate_ready{instance="a"}', '0x60']]],
    ['SwarmgateRejectedServices', [['swarmgate_rejected_services', '2x60']]],
    ['SwarmgateRevisionOld', [['swarmgate_revision_age_seconds{instance="a"}', '0+60x60']]],
    ['SwarmgateCertificateEnds', [['swarmgate_certificate_expiry_timestamp_seconds{instance="a"}', '900000x120']]],
    [
      'SwarmgateServerErrors',
      [
        ['swarmgate_requests_total{service="swarm/shop",status="2xx"}', '0+540x60'],
        ['swarmgate_requests_total{service="swarm/shop",status="5xx"}', '0+60x60'],
      ],
    ],
    [
      'SwarmgateSlow',
      [
        ['swarmgate_request_duration_seconds_bucket{service="swarm/shop",le="1"}', '0+50x60'],
        ['swarmgate_request_duration_seconds_bucket{service="swarm/shop",le="5"}', '0+60x60'],
        ['swarmgate_request_duration_seconds_bucket{service="swarm/shop",le="+Inf"}', '0+60x60'],
        ['swarmgate_request_duration_seconds_count{service="swarm/shop"}', '0+60x60'],
      ],
    ],
    ['SwarmgateWorkersCrash', [['swarmgate_worker_ends_total{how="crashed",instance="a"}', '0x40 1x20']]],
    ['SwarmgateNoLeader', [['swarmgate_listener_leading{instance="a"}', '0x60']]],
    ['SwarmgateDown', [['up{job="swarmgate-proxy",instance="a"}', '0x60']]],
  ] as const;
  for (const [alert, series] of alerts)
    it(`alerts: ${alert}`, async () => {
      const directory = await mkdtemp(join(tmpdir(), 'swarmgate-alerts-'));
      try {
        const minutes = alert === 'SwarmgateCertificateEnds' ? 90 : 50;
        const query = `count(ALERTS{alertname="${alert}",alertstate="firing"})`;
        const test = {
          rule_files: [join(folder, 'alert-rules.yml')],
          evaluation_interval: '1m',
          tests: [
            {
              interval: '1m',
              input_series: series.map(([name, values]) => ({ series: name, values })),
              promql_expr_test: [{ expr: query, eval_time: `${minutes}m`, exp_samples: [{ labels: '{}', value: 1 }] }],
            },
          ],
        };
        await writeFile(join(directory, 'test.yml'), JSON.stringify(test));
        const tested = await promtool(['test', 'rules', join(directory, 'test.yml')]);
        expect(tested, tested.said).to.include({ ok: true });
      } finally {
        await rm(directory, { recursive: true, force: true });
      }
    });

  for (const config of ['prometheus', 'prometheus-tls'])
    it(`mounts files that are there, each at a place that another one names: ${config}`, async () => {
      const stack = parse(await readFile(stackFile, 'utf8')) as {
        readonly services: Readonly<
          Record<string, { readonly configs?: readonly { readonly source: string; readonly target: string }[] }>
        >;
        readonly configs: Readonly<Record<string, { readonly file: string }>>;
      };
      for (const { file } of Object.values(stack.configs)) {
        const { value } = interpolate(file, { PROMETHEUS_CONFIG: config });
        expect(await readFile(join(folder, '..', value), 'utf8'), file).to.have.length.above(0);
      }
      const mounted = Object.values(stack.services).flatMap(({ configs = [] }) => configs);
      expect(mounted.map(({ source }) => source).sort()).to.deep.equal(Object.keys(stack.configs).sort());
      const targets = mounted.map(({ target }) => target);
      const prometheus = parse(await readFile(join(folder, `${config}.yml`), 'utf8')) as { rule_files: string[] };
      expect(targets).to.include.members(prometheus.rule_files);
      const provider = await readFile(join(folder, 'dashboards.yml'), 'utf8');
      expect(targets.filter((target) => target.endsWith('.json'))[0]).to.include(/path: ([^ ]+)/.exec(provider)?.[1]);
    });
});
