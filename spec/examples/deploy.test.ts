// The files of examples/deploy/ for containers and Kubernetes: they parse, use keys and paths that
// exist, belong together, and wait longer than a stop takes. balancer.test.ts runs the others.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { projectFiles } from '../../src/cli/init/project.ts';
import { loadConfig } from '../../src/server/config/config.ts';
import { ROOT } from '../../testing/child-program.ts';
import { leaveOutOfCoverage } from '../../testing/coverage.ts';

leaveOutOfCoverage();

const FOLDER = join(ROOT, 'examples/deploy');

/** Any part of a document, with undefined for what is missing. */
class Node {
  readonly value: unknown;

  constructor(value: unknown) {
    this.value = value;
  }

  /** The part at a path such as `spec.template`; numbers are indexes of lists. */
  at(path: string): Node {
    let value = this.value;
    for (const name of path.split('.')) value = (value as Record<string, unknown> | null)?.[name];
    return new Node(value);
  }

  list(path: string): Node[] {
    const { value } = this.at(path);
    assert.ok(Array.isArray(value), path);
    return value.map((one) => new Node(one));
  }

  number(path: string): number {
    const { value } = this.at(path);
    assert.equal(typeof value, 'number', path);
    return value as number;
  }
}

function documents(path: string): Node[] {
  const text = readFileSync(join(FOLDER, path), 'utf8');
  const found = parseAllDocuments(text, { strict: true, uniqueKeys: true, merge: true });
  assert.ok(Array.isArray(found));
  return found.map((one) => {
    assert.deepEqual([...one.errors, ...one.warnings], [], path);
    return new Node(one.toJS());
  });
}

/** The configuration that these variables make, with the other values of the image. */
function configOf(variables: Readonly<Record<string, string>>) {
  const env = { VIBING_HOST: '0.0.0.0', VIBING_PORT: '8080', ...variables };
  const { config, problems, warnings } = loadConfig({ env, flags: [] });
  assert.deepEqual(problems, []);
  assert.deepEqual(warnings, []);
  assert.ok(config !== null && config !== undefined);
  return config;
}

describe('the manifests of Kubernetes', () => {
  const all = documents('kubernetes/vibing.yaml');
  const one = (kind: string): Node => {
    const found = all.filter((each) => each.at('kind').value === kind);
    assert.equal(found.length, 1, kind);
    return found[0] as Node;
  };
  const deployment = one('Deployment');
  const pod = deployment.at('spec.template.spec');
  const container = pod.at('containers.0');
  const ports = new Map(
    container.list('ports').map((port) => [port.at('name').value, port.number('containerPort')]),
  );
  const variables = Object.fromEntries(
    container.list('env').map((each) => [each.at('name').value, String(each.at('value').value)]),
  );

  test('have the versions of their kinds', () => {
    const versions = all.map((each) => `${each.at('apiVersion').value} ${each.at('kind').value}`);
    const expected = ['apps/v1 Deployment', 'v1 Service', 'policy/v1 PodDisruptionBudget'];
    assert.deepEqual(versions, expected);
    for (const each of all) assert.equal(each.at('metadata.name').value, 'vibing');
  });

  test('every selector selects the pods, every port exists', () => {
    const { value: labels } = deployment.at('spec.template.metadata.labels');
    assert.ok(labels !== undefined);
    assert.deepEqual(deployment.at('spec.selector.matchLabels').value, labels);
    assert.deepEqual(one('Service').at('spec.selector').value, labels);
    assert.deepEqual(one('PodDisruptionBudget').at('spec.selector.matchLabels').value, labels);
    const [spread] = pod.list('topologySpreadConstraints');
    assert.deepEqual(spread?.at('labelSelector.matchLabels').value, labels);
    for (const port of one('Service').list('spec.ports')) {
      assert.ok(ports.has(port.at('targetPort').value));
    }
    const [monitor, ...more] = documents('kubernetes/pod-monitor.yaml');
    assert.deepEqual(more, []);
    assert.equal(monitor?.at('kind').value, 'PodMonitor');
    assert.deepEqual(monitor?.at('spec.selector.matchLabels').value, labels);
    for (const endpoint of monitor?.list('spec.podMetricsEndpoints') ?? []) {
      assert.equal(endpoint.at('port').value, 'metrics');
      assert.equal(endpoint.at('path').value, '/metrics');
    }
    assert.equal(ports.get('metrics'), Number(variables['VIBING_METRICS_PORT']));
  });

  test('the configuration is valid, and probes ask its paths and ports', () => {
    const config = configOf(variables);
    assert.equal(ports.get('http'), config.port);
    assert.equal(config.healthz, true);
    const paths = { readinessProbe: '/readyz', livenessProbe: '/healthz' };
    for (const [name, path] of Object.entries(paths)) {
      assert.equal(container.at(`${name}.httpGet.path`).value, path);
      assert.equal(container.at(`${name}.httpGet.port`).value, 'http');
      assert.ok(container.number(`${name}.periodSeconds`) > 0);
    }
    assert.deepEqual(container.at('args').value, ['serve', '/site']);
  });

  test('a pod has time to leave the service, and to drain', () => {
    const [program, seconds] = container.at('lifecycle.preStop.exec.command').value as string[];
    assert.equal(program, 'sleep');
    const config = configOf(variables);
    const drainSeconds = config.limits.shutdownTimeoutMs / 1_000;
    const grace = pod.number('terminationGracePeriodSeconds');
    assert.ok(grace > Number(seconds) + drainSeconds + 2, `${grace} s`);
    assert.equal(deployment.at('spec.strategy.rollingUpdate.maxUnavailable').value, 0);
    const least = one('PodDisruptionBudget').number('spec.minAvailable');
    assert.ok(deployment.number('spec.replicas') > least);
  });

  test('pods have limits, and no rights', () => {
    for (const path of ['requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory']) {
      assert.match(String(container.at(`resources.${path}`).value), /^\d+(Mi)?$/);
    }
    assert.equal(pod.at('securityContext.runAsNonRoot').value, true);
    assert.equal(pod.at('securityContext.seccompProfile.type').value, 'RuntimeDefault');
    assert.equal(container.at('securityContext.readOnlyRootFilesystem').value, true);
    assert.equal(container.at('securityContext.allowPrivilegeEscalation').value, false);
    assert.deepEqual(container.at('securityContext.capabilities.drop').value, ['ALL']);
  });
});

describe('the containers', () => {
  const [compose] = documents('container/compose.yaml') as [Node];

  test('two servers with a valid configuration are behind the balancer', () => {
    const services = compose.at('services').value as Record<string, unknown>;
    assert.deepEqual(Object.keys(services), ['one', 'two', 'balancer']);
    const folder = join(FOLDER, 'container');
    const haproxy = readFileSync(join(FOLDER, 'haproxy/haproxy.cfg'), 'utf8');
    for (const name of ['one', 'two']) {
      const service = compose.at(`services.${name}`);
      assert.ok(existsSync(join(folder, String(service.at('build').value), 'Dockerfile')));
      const config = configOf(service.at('environment').value as Record<string, string>);
      assert.equal(config.healthz, true);
      // Each delay of HAProxy closes half of the idle connections: ten are enough for a thousand.
      const delay = /pool-purge-delay (\d+)s/.exec(haproxy)?.[1];
      assert.ok(config.limits.connectionTimeoutMs >= 12 * Number(delay) * 1_000);
      assert.match(haproxy, new RegExp(`server ${name} ${name}:${config.port} check`));
      const grace = /^(\d+)s$/.exec(String(service.at('stop_grace_period').value))?.[1];
      assert.ok(Number(grace) > config.limits.shutdownTimeoutMs / 1_000 + 2);
      assert.equal(service.at('read_only').value, true);
      assert.deepEqual(service.at('cap_drop').value, ['ALL']);
      assert.equal(
        compose.at(`services.balancer.depends_on.${name}.condition`).value,
        'service_healthy',
      );
    }
  });

  test('the balancer has its configuration, and the port that it listens on', () => {
    const [volume = ''] = compose.at('services.balancer.volumes').value as string[];
    const [source = '', target] = volume.split(':');
    assert.ok(existsSync(join(FOLDER, 'container', source)));
    assert.equal(target, '/usr/local/etc/haproxy/haproxy.cfg');
    const text = readFileSync(join(FOLDER, 'container', source), 'utf8');
    const port = /bind :(\d+)/.exec(text)?.[1];
    const socket = /stats socket (\S+)/.exec(text)?.[1] ?? '';
    assert.deepEqual(compose.at('services.balancer.ports').value, [`127.0.0.1:8080:${port}`]);
    const tmpfs = `${dirname(socket)}:mode=1777`;
    assert.deepEqual(compose.at('services.balancer.tmpfs').value, [tmpfs]);
  });

  test('the image of a program starts what `vibing init` makes, as an ordinary user', () => {
    const text = readFileSync(join(FOLDER, 'container/Dockerfile'), 'utf8');
    const root = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
    const bases = new Set([...text.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base));
    assert.deepEqual([...bases], [/^FROM (\S+)$/m.exec(root)?.[1]], 'the base of the other image');
    const [, last = ''] = /^FROM \S+$([\s\S]*)/m.exec(text) ?? [];
    assert.match(last, /^USER node$/m);
    assert.match(last, /^STOPSIGNAL SIGTERM$/m);
    assert.match(text, /^RUN npm ci --omit=dev /m);

    const made = new Map(projectFiles('my-server', '0.1.0').map((file) => [file.path, file.text]));
    const script = /^CMD \["node", "dist\/([\w/]+)\.js"\]$/m.exec(last)?.[1];
    const main = made.get(`src/${script}.ts`) ?? '';
    for (const [, name] of last.matchAll(/ (HOST|PORT)=/g)) assert.ok(main.includes(`'${name}'`));
    assert.match(last, /^ENV .*\bHOST=0\.0\.0\.0\b/m);
    const { scripts } = JSON.parse(made.get('package.json') ?? '') as {
      readonly scripts: Readonly<Record<string, string>>;
    };
    for (const [, name = ''] of text.matchAll(/^RUN npm run (\w+)$/gm)) assert.ok(scripts[name]);
    assert.match(made.get('tsconfig.json') ?? '', /"rootDir": "src",\s+"outDir": "dist"/);

    // What is copied is in the project, or made by npm install, and goes to the builder.
    const sent = readFileSync(join(FOLDER, 'container/.dockerignore'), 'utf8').split('\n');
    assert.ok(sent.includes('*'));
    const copies = [...text.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, all = '']) =>
      all.split(' '),
    );
    assert.ok(copies.length >= 6);
    // A package from a file is in the folder, for each npm ci.
    assert.equal(copies.filter((path) => path === '*.tgz').length, 2);
    for (const path of copies) {
      const exists = [...made.keys()].some((one) => one === path || one.startsWith(`${path}/`));
      assert.ok(exists || ['package-lock.json', '*.tgz'].includes(path), path);
      assert.ok(sent.includes(`!${path}`), path);
    }
  });
});
