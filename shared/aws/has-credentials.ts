import { awsCredentials, type AwsCredentialOptions } from './aws-credentials.ts';

/**
 * Whether credentials for AWS are found within the time. Never rejects; what is found later has no effect.
 *
 * @param withinMs how long to look for them
 */
export async function hasCredentials(options: AwsCredentialOptions, withinMs: number): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(() => resolve(false), withinMs);
  try {
    const find = awsCredentials(options);
    return await Promise.race([
      find().then(
        () => true,
        () => false,
      ),
      late,
    ]);
  } catch {
    // Looking for them may fail before it has begun.
    return false;
  } finally {
    clearTimeout(timer);
  }
}
