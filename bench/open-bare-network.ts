import { forbidLibraryTelemetry } from '../shared/config/forbid-library-telemetry.ts';
import type { Bundle } from '../shared/models/check-bundle.ts';

/** A network and nothing around it: one run for all rows. */
export interface BareNetwork extends AsyncDisposable {
  /** @param features rows one after the other, as the network takes them */
  run(features: Float32Array): Promise<void>;
}

/** Uses one core, as the fleet's own runs do. */
export async function openBareNetwork({ manifest, files }: Bundle): Promise<BareNetwork> {
  const { runtime, feature_columns: columns } = manifest;
  const outputs = 'output' in runtime ? [runtime.output] : Object.values(runtime.outputs);
  const bytes = files.get(runtime.file);
  if (!bytes) throw new Error('a bundle that was checked has its network');
  forbidLibraryTelemetry();
  const { InferenceSession, Tensor } = await import('onnxruntime-node');
  const session = await InferenceSession.create(bytes, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  return {
    async run(features) {
      const input = new Tensor('float32', features, [features.length / columns.length, columns.length]);
      await session.run({ [runtime.input]: input }, outputs);
    },
    [Symbol.asyncDispose]: () => session.release(),
  };
}
