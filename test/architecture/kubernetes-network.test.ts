import { z } from 'zod';
import { kubernetesFleet } from '../support/kubernetes-fleet.ts';

const peer = z.strictObject({
  namespaceSelector: z.strictObject({ matchLabels: z.record(z.string(), z.string()) }).optional(),
  ipBlock: z.strictObject({ cidr: z.string(), except: z.array(z.string()) }).optional(),
});
const ports = z.array(
  z.strictObject({ port: z.union([z.int(), z.string()]), protocol: z.enum(['TCP', 'UDP']).default('TCP') }),
);
const policySchema = z.looseObject({
  spec: z.strictObject({
    podSelector: z.strictObject({ matchLabels: z.record(z.string(), z.string()).default({}) }),
    policyTypes: z.array(z.enum(['Ingress', 'Egress'])),
    ingress: z.array(z.strictObject({ from: z.array(peer), ports })).default([]),
    egress: z.array(z.strictObject({ to: z.array(peer).optional(), ports })).default([]),
  }),
});

const { manifests, deployments } = kubernetesFleet();
const policies = manifests
  .filter(({ manifest }) => manifest.kind === 'NetworkPolicy')
  .map(({ manifest }) => policySchema.parse(manifest).spec);

/** The namespaces, by a label of theirs, that reach this port of a process. */
function callersOf(process: string, port: string): string[] {
  const ofProcess = policies.filter(({ podSelector: { matchLabels } }) =>
    [undefined, process].includes(matchLabels['app.kubernetes.io/name']),
  );
  const rules = ofProcess
    .flatMap(({ ingress }) => ingress)
    .filter((rule) => rule.ports.some((open) => open.port === port));
  return rules
    .flatMap(({ from }) =>
      from.flatMap(({ namespaceSelector }) => Object.entries(namespaceSelector?.matchLabels ?? {})),
    )
    .map(([label, value]) => `${label}=${value}`);
}

test('whoever is not named may not', () => {
  const denying = policies.filter(
    ({ podSelector, policyTypes, ingress, egress }) =>
      Object.keys(podSelector.matchLabels).length === 0 &&
      policyTypes.length === 2 &&
      ingress.length === 0 &&
      egress.length === 0,
  );
  expect(denying).toHaveLength(1);
  // A rule without peers lets everybody in.
  expect(policies.flatMap(({ ingress }) => ingress).filter(({ from }) => from.length === 0)).toEqual([]);
});

test('every process with an HTTP interface has callers, and the API has KEDA too', () => {
  const keda = 'kubernetes.io/metadata.name=keda';
  const expected: Record<string, string[]> = {
    api: ['presage-callers=true', keda],
    'model-serving': ['presage-callers=true'],
    dashboard: ['presage-operators=true'],
  };
  for (const [name, { spec }] of deployments) {
    const isServer = spec.template.spec.containers[0].ports.some((port) => port.name === 'http');
    expect([name, callersOf(name, 'http')]).toEqual([name, isServer ? expected[name] : []]);
    expect(callersOf(name, 'health')).toEqual(['kubernetes.io/metadata.name=monitoring']);
  }
});

test('processes reach names, stores and vendors, and no metadata service', () => {
  const rules = policies.flatMap(({ egress }) => egress);
  const reached = rules.flatMap((rule) => rule.ports.map(({ port, protocol }) => `${protocol} ${port}`));
  expect(reached.toSorted()).toEqual(['TCP 3306', 'TCP 443', 'TCP 53', 'TCP 6379', 'UDP 53']);
  for (const block of rules.flatMap(({ to = [] }) => to.map(({ ipBlock }) => ipBlock))) {
    expect(block?.except).toContain('169.254.0.0/16');
  }
});
