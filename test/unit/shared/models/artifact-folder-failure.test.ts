import { JobError } from '../../../../shared/errors/job-error.ts';
import { folderFailure } from '../../../../shared/models/artifact-folder-failure.ts';

test.each([
  ['EACCES', 'permanent', 'ARTIFACTS_ACCESS_DENIED'],
  ['EROFS', 'permanent', 'ARTIFACTS_ACCESS_DENIED'],
  ['ESTALE', 'unavailable', 'STORE_UNAVAILABLE'],
  ['EIO', 'unavailable', 'STORE_UNAVAILABLE'],
  ['ENOSPC', 'transient', 'ARTIFACTS_FAILED'],
])('%s means %s, %s', (code, kind, expected) => {
  const error = Object.assign(new Error('of the system'), { code });
  expect(folderFailure('file:///x', error)).toMatchObject({ kind, code: expected, cause: error });
});

test('what has a meaning keeps it', () => {
  const error = new JobError('permanent', 'too large', { code: 'ARTIFACT_TOO_LARGE' });
  expect(folderFailure('file:///x', error)).toBe(error);
});
