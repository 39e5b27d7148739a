import type { Fleet } from '../start-fleet.ts';
import { CommandFailed } from '../usage-error.ts';

/**
 * Sends one request to the fleet's API. Answers the JSON that comes back.
 *
 * @throws CommandFailed when the API did not do it
 */
export async function askApi(fleet: Fleet, path: string, init: RequestInit = {}): Promise<unknown> {
  const response = await fetch(`${fleet.describe().api}${path}`, init);
  if (response.ok) return await response.json();
  throw new CommandFailed(`The API answered ${response.status}: ${await response.text()}`);
}
