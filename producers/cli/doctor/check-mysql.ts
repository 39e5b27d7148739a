import type { DatabaseSettings } from '../../../shared/config/database-settings.ts';
import { inspectSchema } from '../../../shared/database/inspect-schema.ts';
import { inspectServer, type DatabaseServer } from '../../../shared/database/inspect-server.ts';
import { mysqlProblem } from '../../../shared/database/mysql-problem.ts';
import { openDatabase } from '../../../shared/database/open-database.ts';
import { reporterFor, type Finding } from './finding.ts';
import { judgeMysql } from './judge-mysql.ts';
import { judgeSchema } from './judge-schema.ts';

const report = reporterFor('mysql');
/** So that all of it is done before a subject's time is over. */
const limits = { connectTimeoutMs: 3_000, queryTimeoutMs: 2_000 };

/** The MySQL or MariaDB of the ledger, and its schema. */
export async function checkMysql(settings: DatabaseSettings): Promise<Finding[]> {
  await using database = openDatabase({ ...settings, poolSize: 1 }, limits);
  let server: DatabaseServer;
  try {
    server = await inspectServer(database.db);
  } catch (error) {
    const { finding, mend } = mysqlProblem(error, settings);
    return [report.fail('connection', finding, mend)];
  }
  const findings = judgeMysql(server, `${settings.host}:${settings.port}`);
  try {
    return [...findings, ...judgeSchema(await inspectSchema(database.db))];
  } catch (error) {
    const { finding, mend } = mysqlProblem(error, settings);
    return [...findings, report.fail('schema', `it cannot be read: ${finding}`, mend)];
  }
}
