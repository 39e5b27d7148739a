import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';

// bin/presage as the first process of a container, in a namespace of process ids, with programs in place of bin/main.ts.
// Where this machine lets nobody make one, the test of the containers has it to itself.

const unshare = ['--user', '--map-root-user', '--pid', '--fork', '--kill-child'];
const canUnshare = spawnSync('unshare', [...unshare, 'true']).status === 0;
const testInNamespace = canUnshare ? test : test.skip;

let room: string;
beforeAll(() => {
  room = mkdtempSync(path.join(tmpdir(), 'presage-test-'));
  mkdirSync(path.join(room, 'bin'));
  mkdirSync(path.join(room, 'node_modules/.bin'), { recursive: true });
  copyFileSync(path.join(__dirname, '../../../bin/presage'), path.join(room, 'bin/presage'));
  symlinkSync(process.execPath, path.join(room, 'node_modules/.bin/node'));
});
afterAll(() => rmSync(room, { recursive: true }));

async function run(program: string, input = '') {
  writeFileSync(path.join(room, 'bin/main.ts'), program);
  const child = spawn('unshare', [...unshare, path.join(room, 'bin/presage'), 'one', 'two words'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(input);
  const [output] = await Promise.all([text(child.stdout), once(child, 'close')]);
  return { exitCode: child.exitCode, output };
}

testInNamespace('hands on arguments, input and the exit code', async () => {
  const program = `import { text } from 'node:stream/consumers';
    console.log(process.pid > 1, process.ppid, process.argv.slice(2), await text(process.stdin));
    process.exitCode = 3;`;
  expect(await run(program, 'hello')).toEqual({
    exitCode: 3,
    output: "true 1 [ 'one', 'two words' ] hello\n",
  });
});

testInNamespace.each([
  ['SIGTERM', 'SIGTERM'],
  ['SIGINT', 'SIGINT'],
])('%s reaches a program that listens for it, and is waited for', async (sent, heard) => {
  const program = `process.on('${heard}', () => setTimeout(() => { console.log('stopped'); process.exit(0); }, 100));
    setInterval(() => {}, 1_000);
    process.kill(1, '${sent}');`;
  expect(await run(program)).toEqual({ exitCode: 0, output: 'stopped\n' });
});

testInNamespace('SIGTERM ends a program that does not listen for it', async () => {
  const program = `setInterval(() => {}, 1_000); process.kill(1, 'SIGTERM');`;
  expect(await run(program)).toEqual({ exitCode: 143, output: '' });
});

testInNamespace('what others leave behind is reaped', async () => {
  const program = `import { execFileSync } from 'node:child_process';
    const orphan = Number(execFileSync('sh', ['-c', 'sleep 1 > /dev/null & echo $!'], { encoding: 'utf8' }));
    const exists = () => { try { return process.kill(orphan, 0); } catch { return false; } };
    while (exists()) await new Promise((resolve) => setTimeout(resolve, 20));
    console.log('reaped');`;
  expect(await run(program)).toEqual({ exitCode: 0, output: 'reaped\n' });
});
