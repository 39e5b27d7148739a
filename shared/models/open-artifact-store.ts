import type { AwsSettings } from '../config/aws-settings.ts';
import type { ArtifactSettings } from '../config/model-settings.ts';
import { openArtifactFolder } from './artifact-folder.ts';
import type { ArtifactStore } from './artifact-store.ts';

/** Opens the folder or the bucket. S3's library takes a while to load, so only who uses it waits for that. */
export async function openArtifactStore(
  settings: ArtifactSettings,
  { mayAskInstanceMetadata }: AwsSettings,
): Promise<ArtifactStore> {
  if (settings.kind === 'folder') return openArtifactFolder(settings.directory);
  const { openArtifactBucket } = await import('./artifact-bucket.ts');
  return openArtifactBucket({ ...settings, mayAskInstanceMetadata });
}
