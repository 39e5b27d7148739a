import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { sweepResultSchema } from '../../shared/contracts/pattern-detection.ts';
import { mainFile } from '../support/run-up.ts';

const withinMs = 300_000;

it(
  'sends sample input through every pipeline and shows what comes back, without any error',
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'presage-test-'));
    try {
      const child = spawn(process.execPath, [mainFile, 'demo'], {
        cwd: directory,
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: withinMs,
      });
      const [shown, messages] = await Promise.all([
        text(child.stdout),
        text(child.stderr),
        once(child, 'exit'),
      ]);
      expect(messages).toBe('');
      expect(child.exitCode).toBe(0);
      expect(shown).toContain('The endpoint was called 23 times: once for each valid phone number.');
      expect(shown).toContain("Bedrock's emulator was called 3 times: once for each alert.");

      const ticks = [...shown.matchAll(/^ +(\{"success".*\})$/gm)].map(([, json = '']) =>
        sweepResultSchema.parse(JSON.parse(json)),
      );
      expect(ticks).toHaveLength(2);
      const [first, second] = ticks;
      // Of a hundred users four are gone.
      expect(first).toMatchObject({ success: true, active_users: 288 });
      expect(second).toEqual({
        success: true,
        active_users: 288,
        patterns_detected: 0,
        predictions_queued: 0,
      });
      const pages = Number(/^ +(\d+) pages are ready/m.exec(shown)?.[1]);
      // A window that is open now may close before its page is made.
      expect(pages).toBeGreaterThan(0.9 * (first?.predictions_queued ?? Infinity));
      expect(shown).toMatch(/^ +Ready for you: /m);
      expect(shown).toMatch(/Llama's emulator was called 0 times\./);
      expect(shown).toMatch(/sample-leads\.csv: 200 lines, 200 imported, 0 bad/);
      expect(shown).toMatch(/^ +lead-200 .+ degraded$/m);
      expect(shown).toMatch(/^ +lead-999 +error LEAD_NOT_FOUND: /m);
      expect(shown).toContain('200 scores (1 degraded), 1 errors');
      expect(shown).toMatch(/^ +\{"causal_effects":\[.+"model_type":"hybrid_causal_model","n_samples":1/m);
      expect(shown).toMatch(/^ +X-Presage-Features: imputed=\(.+\);count=18, ignored=\(.+\);count=2$/m);
      expect(shown).toMatch(/^ +\{"lead_id":"lead-200",.+"degraded":true\}$/m);
    } finally {
      await rm(directory, { recursive: true });
    }
  },
  1.2 * withinMs,
);
