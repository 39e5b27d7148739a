import { z } from 'zod';
import { readKubernetes, type KubernetesFolder } from './read-kubernetes.ts';

const container = z.looseObject({
  name: z.string(),
  image: z.string(),
  args: z.array(z.string()),
  envFrom: z.array(z.unknown()),
  env: z
    .array(
      z.strictObject({
        name: z.string(),
        valueFrom: z.strictObject({
          secretKeyRef: z
            .strictObject({ name: z.string(), key: z.string(), optional: z.literal(true) })
            .optional(),
          configMapKeyRef: z
            .strictObject({ name: z.literal('presage-settings'), key: z.string() })
            .optional(),
        }),
      }),
    )
    .default([]),
  resources: z.strictObject({
    requests: z.strictObject({ cpu: z.string(), memory: z.string() }),
    // None of the processor: it would only slow down who could have more.
    limits: z.strictObject({ memory: z.string() }),
  }),
  securityContext: z.strictObject({
    allowPrivilegeEscalation: z.literal(false),
    readOnlyRootFilesystem: z.literal(true),
    capabilities: z.strictObject({ drop: z.tuple([z.literal('ALL')]) }),
  }),
});
const probe = z.looseObject({ httpGet: z.strictObject({ path: z.string(), port: z.literal('health') }) });
const processContainer = container.extend({
  ports: z.array(z.strictObject({ name: z.string(), containerPort: z.int() })),
  startupProbe: probe,
  livenessProbe: probe,
  readinessProbe: probe,
  lifecycle: z
    .strictObject({ preStop: z.strictObject({ sleep: z.strictObject({ seconds: z.int() }) }) })
    .optional(),
});
const podOf = <Container extends z.ZodType>(containerSchema: Container) =>
  z.looseObject({
    serviceAccountName: z.string(),
    automountServiceAccountToken: z.literal(false),
    enableServiceLinks: z.literal(false),
    securityContext: z.strictObject({
      runAsNonRoot: z.literal(true),
      runAsUser: z.int().min(1),
      runAsGroup: z.int().min(1),
      seccompProfile: z.strictObject({ type: z.literal('RuntimeDefault') }),
    }),
    initContainers: z.tuple([container]).optional(),
    containers: z.tuple([containerSchema]),
  });
const labels = z.record(z.string(), z.string());
const deploymentSchema = z.looseObject({
  spec: z.looseObject({
    replicas: z.int().min(1).optional(),
    selector: z.strictObject({ matchLabels: labels }),
    template: z.strictObject({
      metadata: z.strictObject({ labels, annotations: labels }),
      spec: podOf(processContainer).extend({ terminationGracePeriodSeconds: z.int() }),
    }),
  }),
});
const scalerSchema = z.looseObject({
  spec: z.looseObject({
    scaleTargetRef: z.strictObject({ name: z.string() }),
    minReplicaCount: z.int().min(1),
    maxReplicaCount: z.int(),
    fallback: z.strictObject({
      failureThreshold: z.int(),
      replicas: z.int(),
      behavior: z.literal('currentReplicasIfHigher'),
    }),
    triggers: z.tuple(
      [
        z.strictObject({
          type: z.literal('metrics-api'),
          metadata: z.strictObject({
            url: z.url(),
            valueLocation: z.string(),
            targetValue: z.string().regex(/^\d+$/),
            authMode: z.literal('apiKey'),
            method: z.literal('header'),
            keyParamName: z.literal('X-Api-Key'),
          }),
          authenticationRef: z.strictObject({ name: z.string() }),
        }),
      ],
      z.unknown(),
    ),
  }),
});

const scaledByProcessor = z.looseObject({
  spec: z.looseObject({
    scaleTargetRef: z.looseObject({ kind: z.literal('Deployment'), name: z.string() }),
    maxReplicas: z.int(),
  }),
});
const budgetSchema = z.looseObject({
  spec: z.looseObject({ maxUnavailable: z.literal(1), selector: z.strictObject({ matchLabels: labels }) }),
});
const serviceSchema = z.looseObject({
  spec: z.strictObject({
    selector: labels,
    ports: z.tuple([
      z.strictObject({ name: z.literal('http'), port: z.int(), targetPort: z.literal('http') }),
    ]),
  }),
});
const jobSchema = z.looseObject({
  spec: z.looseObject({ template: z.looseObject({ spec: podOf(container) }) }),
});
const accountSchema = z.looseObject({ automountServiceAccountToken: z.literal(false) });

/** What `deploy/kubernetes` makes, by kind and name; throws where something has not the form that all are to have. */
export function kubernetesFleet() {
  const folder = readKubernetes();
  return {
    ...folder,
    deployments: ofKind(folder, 'Deployment', deploymentSchema),
    jobs: ofKind(folder, 'Job', jobSchema),
    services: ofKind(folder, 'Service', serviceSchema),
    accounts: ofKind(folder, 'ServiceAccount', accountSchema),
    budgets: ofKind(folder, 'PodDisruptionBudget', budgetSchema),
    scalers: ofKind(folder, 'ScaledObject', scalerSchema),
    scaledByProcessor: ofKind(folder, 'HorizontalPodAutoscaler', scaledByProcessor),
    scalingKeys: ofKind(folder, 'TriggerAuthentication', z.unknown()),
    secrets: ofKind(folder, 'Secret', z.unknown()),
  };
}

function ofKind<Schema extends z.ZodType>(
  { manifests }: KubernetesFolder,
  kind: string,
  schema: Schema,
): NamedMap<z.output<Schema>> {
  const found = manifests.filter(({ manifest }) => manifest.kind === kind);
  return new NamedMap(
    kind,
    found.map(({ manifest }) => {
      const { name } = manifest.metadata;
      const parsed = schema.safeParse(manifest);
      if (!parsed.success) throw new Error(`${kind} ${name}: ${z.prettifyError(parsed.error)}`);
      return [name, parsed.data];
    }),
  );
}

/** A map that is asked only for what has to be there. */
class NamedMap<Value> extends Map<string, Value> {
  readonly #kind: string;

  constructor(kind: string, entries: readonly (readonly [string, Value])[]) {
    super(entries);
    this.#kind = kind;
  }

  named(name: string): Value {
    const value = this.get(name);
    if (value === undefined) throw new Error(`deploy/kubernetes has no ${this.#kind} ${name}`);
    return value;
  }
}
