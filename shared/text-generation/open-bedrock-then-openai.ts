import { hasCredentials } from '../aws/has-credentials.ts';
import type { TextGenerationSettings } from '../config/text-generation-settings.ts';
import type { VendorSettings } from '../config/vendor-settings.ts';
import type { WorkerClients } from '../queue/worker-clients.ts';
import { openBedrock } from './bedrock.ts';
import { openOpenai } from './openai.ts';
import type { TextGeneration } from './open-text-generation.ts';
import { openWorkerGeneration } from './open-worker-generation.ts';
import type { TextGenerator } from './text-generator.ts';

export interface BedrockThenOpenaiOptions {
  /** Of the jobs that ask. */
  queue: string;
  vendors: VendorSettings;
  /** The model of Bedrock that is asked. */
  bedrockModel: string;
  mayAskInstanceMetadata: boolean;
  limits: TextGenerationSettings['limits'];
}

/** How long the credentials of AWS are looked for at start. */
const credentialsWithinMs = 2_000;

/**
 * Opens for a worker who writes its texts: Bedrock where there are credentials, then OpenAI where it is configured.
 * Answers also whether Bedrock is asked.
 */
export async function openBedrockThenOpenai(
  { queue, vendors, bedrockModel, mayAskInstanceMetadata, limits }: BedrockThenOpenaiOptions,
  resources: AsyncDisposableStack,
  clients: Pick<WorkerClients, 'redis' | 'database' | 'log' | 'metrics'>,
): Promise<{ textGeneration: TextGeneration; bedrockIsConfigured: boolean }> {
  const bedrock = vendors.bedrock && { ...vendors.bedrock, model: bedrockModel, mayAskInstanceMetadata };
  const generators: TextGenerator[] = [];
  if (bedrock && (await hasCredentials(bedrock, credentialsWithinMs))) {
    generators.push(resources.use(openBedrock(bedrock)));
  }
  const bedrockIsConfigured = generators.length > 0;
  if (vendors.openai) generators.push(resources.use(openOpenai(vendors.openai)));

  const { log } = clients;
  if (generators.length === 0) {
    log.warn({ queue }, 'neither Bedrock nor OpenAI is configured: no model can be asked');
  }
  if (bedrock && !bedrockIsConfigured) {
    log.warn('no AWS credentials were found: Bedrock is not asked until the worker is started again');
  }

  const textGeneration = await openWorkerGeneration({ queue, generators, limits }, resources, clients);
  return { textGeneration, bedrockIsConfigured };
}
