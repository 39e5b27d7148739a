import { readSourceFiles, type SourceFile } from '../support/source-files.ts';

const files = readSourceFiles();

function offenders(
  within: (file: SourceFile) => boolean,
  forbidden: (imported: string, file: SourceFile) => boolean,
): string[] {
  return files
    .filter(within)
    .flatMap((file) =>
      file.imports
        .filter((imported) => forbidden(imported, file))
        .map((imported) => `${file.path} -> ${imported}`),
    );
}

const inside =
  (...folders: string[]) =>
  (file: SourceFile) =>
    folders.some((folder) => file.path.startsWith(folder));
const outside =
  (...folders: string[]) =>
  (file: SourceFile) =>
    !folders.some((folder) => file.path.startsWith(folder));
const roomOf = (path: string) => path.split('/').slice(0, 2).join('/');
const isProjectFile = (imported: string) => /\.(ts|json)$/.test(imported);
const isPackage = (imported: string, name: string) => imported === name || imported.startsWith(`${name}/`);

test('there is something to check', () => {
  expect(files.length).toBeGreaterThan(50);
  expect(files.flatMap((file) => file.imports).length).toBeGreaterThan(200);
});

test('shared imports nothing of workers, producers or benchmarks', () => {
  expect(
    offenders(inside('shared/'), (imported) => /^(workers|producers|bench|bin|test)\//.test(imported)),
  ).toEqual([]);
});

test('a worker imports shared and its own folder', () => {
  const isWorkerFolder = (file: SourceFile) => /^workers\/[^/]+\//.test(file.path);
  expect(
    offenders(
      isWorkerFolder,
      (imported, file) =>
        isProjectFile(imported) && !imported.startsWith('shared/') && roomOf(imported) !== roomOf(file.path),
    ),
  ).toEqual([]);
});

test('producers never import workers', () => {
  expect(offenders(inside('producers/'), (imported) => /^(workers|bench|bin|test)\//.test(imported))).toEqual(
    [],
  );
});

test('a producer imports another one only to start it', () => {
  expect(
    offenders(
      (file) => /^producers\/[^/]+\//.test(file.path),
      (imported, file) =>
        /^producers\/[^/]+\//.test(imported) &&
        roomOf(imported) !== roomOf(file.path) &&
        !imported.endsWith('/main.ts'),
    ),
  ).toEqual([]);
});

test('contracts import the schema library and each other, nothing else', () => {
  expect(
    offenders(
      inside('shared/contracts/'),
      (imported) => imported !== 'zod' && !imported.startsWith('shared/contracts/'),
    ),
  ).toEqual([]);
});

test('migrations import kysely and nothing else: they are frozen in time', () => {
  expect(offenders(inside('migrations/'), (imported) => imported !== 'kysely')).toEqual([]);
});

test.each([
  ['bullmq', ['shared/queue/', 'bench/']],
  ['mysql2', ['shared/database/']],
  ['@aws-sdk/client-sagemaker-runtime', ['shared/sagemaker/']],
  ['cockatiel', ['shared/circuit/']],
  ['@aws-sdk/client-bedrock-runtime', ['shared/text-generation/bedrock.ts', 'bench/']],
  ['openai', ['shared/text-generation/openai.ts']],
  ['together-ai', ['shared/text-generation/together.ts']],
  ['rate-limiter-flexible', ['shared/text-generation/']],
  ['@aws-sdk/client-dynamodb', ['shared/dynamodb/']],
  ['@aws-sdk/lib-dynamodb', ['shared/dynamodb/']],
  ['@aws-sdk/client-sns', ['workers/churn-insight/']],
  ['@aws-sdk/client-sfn', ['workers/model-serving/']],
  ['@aws-sdk/client-s3', ['shared/models/artifact-bucket.ts']],
  ['onnxruntime-node', ['shared/models/onnx-thread.ts', 'bench/']],
  ['standardwebhooks', ['producers/webhook/']],
  [
    'fastify',
    [
      'producers/api/',
      'producers/webhook/',
      'producers/dashboard/',
      'shared/process/',
      'shared/http/',
      'shared/http-access/',
      'workers/model-serving/',
    ],
  ],
  ['@fastify/etag', ['producers/api/']],
  ['@opentelemetry', ['shared/telemetry/']],
  ['@bull-board', ['producers/dashboard/bull-board.ts']],
  ['commander', ['producers/cli/']],
  ['dynalite', ['shared/embedded/']],
])('%s has its one room', (name, rooms) => {
  expect(offenders(outside(...rooms), (imported) => isPackage(imported, name))).toEqual([]);
  expect(
    files.some(
      (file) => inside(...rooms)(file) && file.imports.some((imported) => isPackage(imported, name)),
    ),
  ).toBe(true);
});

test('only the configuration reads the environment; the executable hands it in', () => {
  const readers = files.filter((file) => /process\.env\b/.test(file.text)).map((file) => file.path);
  expect(readers.filter((path) => !path.startsWith('shared/config/') && path !== 'bin/main.ts')).toEqual([]);
});

test('only a process room ends the process', () => {
  const exits = files.filter((file) => /process\.exit\(/.test(file.text)).map((file) => file.path);
  const allowed = /^(shared\/process\/|shared\/embedded\/[a-z-]+-process\.ts$|shared\/emulators\/run-)/;
  expect(exits.filter((path) => !allowed.test(path))).toEqual([]);
});

test('no import goes round in a circle', () => {
  const importsByPath = new Map(files.map((file) => [file.path, file.imports]));
  const finished = new Set<string>();
  const circles: string[] = [];
  function visit(path: string, trail: readonly string[]): void {
    if (trail.includes(path)) {
      circles.push([...trail.slice(trail.indexOf(path)), path].join(' -> '));
      return;
    }
    if (finished.has(path)) return;
    for (const imported of importsByPath.get(path) ?? []) visit(imported, [...trail, path]);
    finished.add(path);
  }
  for (const file of files) visit(file.path, []);
  expect(circles).toEqual([]);
});

test('no room is a drawer, and no file only passes on', () => {
  const drawers = files.filter((file) =>
    /(^|\/)(utils?|helpers?|common|types|misc|index)(\/|\.ts$)/.test(file.path),
  );
  expect(drawers.map((file) => file.path)).toEqual([]);
});

test('files are named in kebab-case', () => {
  expect(
    files.filter((file) => !/^([a-z0-9-]+\/)*[a-z0-9-]+\.ts$/.test(file.path)).map((file) => file.path),
  ).toEqual([]);
});
