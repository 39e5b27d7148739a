import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { settingGroup } from './read-settings.ts';
import { bucketName, urlWithScheme, wholeNumber } from './setting-types.ts';

/** Where the files of models are. */
export type ArtifactSettings =
  | { kind: 'folder'; directory: string }
  | { kind: 'bucket'; bucket: string; region: string; endpointUrl: string | undefined };

export interface ModelSettings {
  /** `undefined`: the environment says nothing about it, so there are no models. */
  artifacts: ArtifactSettings | undefined;
  /** After so long a process looks whether another version is served now, in seconds. */
  cacheTtlSeconds: number;
}

export const modelSettings = settingGroup(
  z.object({
    ARTIFACTS_URL: urlWithScheme(['file:']).optional(),
    ARTIFACTS_BUCKET: bucketName.optional(),
    AWS_REGION: z.string().default('us-east-1'),
    AWS_ENDPOINT_URL_S3: urlWithScheme(['http:', 'https:']).optional(),
    ML_CACHE_TTL_SECONDS: wholeNumber(1, 31_536_000).default(3_600),
  }),
  (values, report): ModelSettings => {
    const { ARTIFACTS_URL: url, ARTIFACTS_BUCKET: bucket } = values;
    const cacheTtlSeconds = values.ML_CACHE_TTL_SECONDS;
    // Before a folder, which docker-compose.yml names in any case.
    if (bucket !== undefined) {
      const { AWS_REGION: region, AWS_ENDPOINT_URL_S3: endpointUrl } = values;
      return { artifacts: { kind: 'bucket', bucket, region, endpointUrl }, cacheTtlSeconds };
    }
    if (url === undefined) return { artifacts: undefined, cacheTtlSeconds };
    const directory = directoryOf(url);
    if (directory === undefined)
      report('ARTIFACTS_URL', 'must be a folder, for example file:///var/lib/presage');
    return {
      artifacts: directory === undefined ? undefined : { kind: 'folder', directory },
      cacheTtlSeconds,
    };
  },
);

/** The folder of a file URL; `undefined` where it names another machine or no folder of its own. */
function directoryOf(url: string): string | undefined {
  try {
    const directory = path.resolve(fileURLToPath(url));
    return directory === path.parse(directory).root ? undefined : directory;
  } catch {
    return undefined;
  }
}
