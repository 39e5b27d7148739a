import type { CheckState } from '../../shared/process/health-routes.ts';

/** What the API works with. */
export interface ReadinessDependencies {
  database: Store;
  redis: Store;
  /** Absent where nothing is configured: then nobody is to be asked all the time. */
  insightTable: Store | undefined;
}

interface Store {
  /** Never rejects. */
  isUp(): Promise<boolean>;
}

/** How the API's stores are, all asked at once. Without MySQL nothing can be accepted; all else goes on in part. */
export async function checkReadiness(stores: ReadinessDependencies): Promise<Record<string, CheckState>> {
  const { database, redis, insightTable } = stores;
  const [mysqlIsUp, redisIsUp, dynamodbIsUp] = await Promise.all([
    database.isUp(),
    redis.isUp(),
    insightTable?.isUp(),
  ]);
  return {
    mysql: mysqlIsUp ? 'ok' : 'failed',
    redis: redisIsUp ? 'ok' : 'degraded',
    ...(dynamodbIsUp === undefined ? {} : { dynamodb: dynamodbIsUp ? 'ok' : 'degraded' }),
  };
}
