import { readKubernetes } from '../support/read-kubernetes.ts';
import { schemaProblem, typeProblems } from '../support/published-problems.ts';

const { manifests } = readKubernetes();

test.each(manifests.map(({ file, manifest }) => [manifest.kind, file, manifest] as const))(
  'a %s in %s fits its published JSON schema',
  async (_kind, _file, manifest) => {
    expect(await schemaProblem(manifest)).toBeUndefined();
  },
);

test('no manifest has a field that Kubernetes or KEDA does not know', async () => {
  expect(await typeProblems(manifests.map(({ manifest }) => manifest))).toBe('');
});

test('what does not fit is told', async () => {
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'misspelt' },
    spec: { ports: [{ prot: 80 }] },
  };
  expect(await schemaProblem(service)).toContain('port');
  expect(await typeProblems([service])).toMatch(/prot.* does not exist in type 'IServicePort'/);
});
