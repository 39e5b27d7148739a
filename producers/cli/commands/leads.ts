import type { Command } from 'commander';
import { leadModelId } from '../../../shared/contracts/lead-scoring.ts';
import { writeLeads } from '../../../shared/leads/write-leads.ts';
import type { FeatureColumn } from '../../../shared/models/feature-column.ts';
import { readRegisteredManifest } from '../../../shared/models/registered-manifest.ts';
import type { CliContext } from '../cli-context.ts';
import { importFile } from '../csv/import-file.ts';
import { importLeads, type LeadReport } from '../leads/import-leads.ts';
import { withModelStores } from '../models/with-model-stores.ts';
import { CommandFailed } from '../usage-error.ts';

interface ImportFlags {
  json?: boolean;
}

export function addLeadsCommand(program: Command, context: CliContext): void {
  program
    .command('leads')
    .description('what is known of leads')
    .command('import')
    .description(
      'load a CSV of leads, each in place of what was known of it; bad lines are counted and named, good ones kept',
    )
    .argument('<file>', `CSV with the column lead_id and those of the model ${leadModelId}, by name`)
    .option('--json', 'print one JSON document')
    .action((file: string, { json = false }: ImportFlags) => importLeadsFrom(file, json, context));
}

function importLeadsFrom(file: string, json: boolean, context: CliContext): Promise<void> {
  return importFile<LeadReport>(
    {
      file,
      json,
      noun: 'leads',
      importFrom: async (source, db) =>
        importLeads({
          ...source,
          features: await featuresOfChampion(context),
          write: (leads) => writeLeads(db, leads),
          warnOfMissing(columns) {
            if (columns.length === 0) return;
            const names = columns.map((column) => JSON.stringify(column)).join(', ');
            context.messages.write(`${source.name} lacks columns of the model: ${names}.\n`);
          },
        }),
      describe: ({ accepted }) => `${accepted} imported`,
    },
    context,
  );
}

function featuresOfChampion({ environment }: CliContext): Promise<readonly FeatureColumn[]> {
  return withModelStores(environment, async (stores) => {
    const champion = await readRegisteredManifest(stores, leadModelId, 'champion');
    if (!champion) {
      throw new CommandFailed(
        `No version of the model ${leadModelId} is promoted, so nobody knows its columns: presage models promote ` +
          `${leadModelId} VERSION.`,
      );
    }
    return champion.manifest.feature_columns;
  });
}
