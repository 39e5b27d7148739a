import type { Command } from 'commander';
import { writeJson, type CliContext } from '../cli-context.ts';
import { CommandFailed } from '../usage-error.ts';

export function addDoctorCommand(program: Command, context: CliContext): void {
  program
    .command('doctor')
    .description('check everything that the configuration names; exit 0 when nothing has to be mended')
    .option('--deep', 'also make real, cheap calls of the vendors that are configured')
    .option('--json', 'print one JSON document')
    .action(async (flags: { deep?: true; json?: true }) => {
      const { examineFleet } = await import('../doctor/examine-fleet.ts');
      const { formatFindings } = await import('../doctor/format-findings.ts');
      const findings = await examineFleet(context.environment, { deep: flags.deep ?? false });
      const failed = findings.filter(({ state }) => state === 'fail').length;
      if (flags.json) writeJson(context.output, { ok: failed === 0, findings });
      else context.output.write(formatFindings(findings));
      if (failed > 0) throw new CommandFailed(`${failed} of ${findings.length} checks failed.`);
    });
}
