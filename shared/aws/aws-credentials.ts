import {
  createCredentialChain,
  fromEnv,
  fromHttp,
  fromIni,
  fromNodeProviderChain,
  fromProcess,
  fromTokenFile,
} from '@aws-sdk/credential-providers';
import { isLocalEndpoint } from './is-local-endpoint.ts';

export interface AwsCredentialOptions {
  region: string;
  /** An address instead of AWS's own. */
  endpointUrl: string | undefined;
  /** False where looking at the environment, files and the container's role has to be enough. */
  mayAskInstanceMetadata?: boolean;
}

/**
 * The credentials that Node programs find: environment, files, role. A local server checks none, so for one any
 * will do when there are none. Looks for them when it is called, as often as it is called.
 */
export function awsCredentials(options: AwsCredentialOptions) {
  const { region, endpointUrl, mayAskInstanceMetadata = true } = options;
  const init = { clientConfig: { region } };
  const findCredentials = mayAskInstanceMetadata
    ? fromNodeProviderChain(init)
    : createCredentialChain(fromEnv(), fromIni(init), fromProcess(), fromTokenFile(init), fromHttp());
  if (endpointUrl === undefined || !isLocalEndpoint(endpointUrl)) return findCredentials;
  return async () => {
    try {
      return await findCredentials();
    } catch {
      return { accessKeyId: 'local', secretAccessKey: 'local' };
    }
  };
}
