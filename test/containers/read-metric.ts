import type { ComposeProject } from './open-compose-project.ts';

const script =
  "fetch('http://127.0.0.1:8081/metrics').then(async (answer) => console.log(await answer.text()))";

/** The value of one series of a container's metrics; 0 when there is none yet. */
export async function readMetric(
  { docker }: Pick<ComposeProject, 'docker'>,
  containerId: string,
  series: string,
): Promise<number> {
  const text = await docker('exec', containerId, 'node', '-e', script);
  const line = text.split('\n').find((found) => found.startsWith(`${series} `));
  return Number(line?.slice(series.length) ?? 0);
}
