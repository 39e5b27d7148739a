import { JobError } from '../../../../shared/errors/job-error.ts';
import { createLogger } from '../../../../shared/telemetry/create-logger.ts';

function linesOf(write: (log: ReturnType<typeof createLogger>) => void): string {
  const lines: string[] = [];
  write(createLogger({ process: 'test', level: 'debug', write: (line) => lines.push(line) }));
  return lines.join('');
}

test('fields that hold personal data or secrets are not written', () => {
  const text = linesOf((log) => {
    log.info(
      {
        phoneNumber: '+972501234567',
        contact: { phoneNumber: '+972501234567', metadata: { name: 'John Doe' } },
      },
      'x',
    );
    log.info({ payload: { contacts: ['John Doe'] }, headers: { authorization: 'Bearer secret-key' } }, 'x');
  });
  expect(text).not.toMatch(/972|John|secret-key/);
});

test('an unclassified error is written without its message, a classified one with it', () => {
  const text = linesOf((log) => {
    log.error({ err: new Error('cannot parse +972501234567', { cause: new Error('John Doe') }) }, 'x');
    log.error({ err: new JobError('permanent', 'the vendor refused', { code: 'REFUSED' }) }, 'x');
  });
  expect(text).not.toMatch(/972|John/);
  expect(text).toContain('the vendor refused');
  expect(text).toContain('create-logger.test');
});

test('a message that looks like a stack is not taken for one', () => {
  const name = 'John\n    at +972501234567:1:2\n    at John Doe';
  const text = linesOf((log) => {
    log.error({ err: new SyntaxError(name) }, 'x');
    const changed = new Error(name);
    changed.message = 'something else';
    log.error({ err: changed }, 'x');
  });
  expect(text.split('\n')[0]).not.toMatch(/972|John/);
  expect(text).not.toMatch(/John/);
  expect(text).toContain('create-logger.test');
});
