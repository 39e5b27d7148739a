import type { CheckState } from '../../shared/process/health-routes.ts';
import type { ServedModels } from './open-served-models.ts';

export interface ModelsHealth {
  state: CheckState;
  /** By id. */
  models: { model_id: string; status: 'ready' | 'degraded' | 'not_ready'; version: string | null }[];
}

/**
 * How the models are of which a version was promoted. The process can do its work as long as one of them answers: that another one cannot be loaded is
 * no reason to take that one away too. Without a single one it waits for the first to be promoted.
 */
export function healthOf(served: Pick<ServedModels, 'list' | 'isKnown'>): ModelsHealth {
  const promoted = served.list().filter(([, model]) => model.served.isAssigned());
  const models = promoted.map(([model_id, model]) => {
    const version = model.served.current()?.manifest.version ?? null;
    const isWell = model.served.problem() === undefined;
    const status =
      version === null ? ('not_ready' as const) : isWell ? ('ready' as const) : ('degraded' as const);
    return { model_id, status, version };
  });
  const isNoneLoaded = models.length > 0 && models.every(({ version }) => version === null);
  if (!served.isKnown() || isNoneLoaded) return { state: 'failed', models };
  const isAllWell = models.length > 0 && models.every(({ status }) => status === 'ready');
  return { state: isAllWell ? 'ok' : 'degraded', models };
}
