import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { claimDirectory } from '../../../shared/embedded/claim-directory.ts';
import { openGuard } from '../../../shared/embedded/open-guard.ts';
import { processIdentity } from '../../../shared/process/process-identity.ts';
import { openServerRoom, type ServerRoom } from '../../support/open-server-room.ts';

let room: ServerRoom;
beforeEach(async () => {
  room = await openServerRoom();
});
afterEach(() => room[Symbol.asyncDispose]());

const gone = { pid: 2 ** 22 + 1, identity: '1' };
const alive = (pid: number) => ({ pid, identity: processIdentity(pid) ?? '' });

async function leaveClaim(claim: object): Promise<void> {
  await writeFile(path.join(room.directory, 'owner.json'), JSON.stringify(claim));
}

test('a folder has one owner until its guard has ended', async () => {
  const guard = await openGuard();
  await claimDirectory(room.directory, guard);
  await expect(claimDirectory(room.directory, room.guard)).rejects.toThrow(
    `another \`presage up\` (process ${process.pid})`,
  );
  await guard[Symbol.asyncDispose]();
  expect(existsSync(path.join(room.directory, 'owner.json'))).toBe(false);
  await claimDirectory(room.directory, room.guard);
});

test('of several that claim at once, one gets it', async () => {
  const claims = await Promise.allSettled([1, 2, 3].map(() => claimDirectory(room.directory, room.guard)));
  expect(claims.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected']);
});

test('the claim of an owner that crashed is void once its guard is done', async () => {
  await using guard = await openGuard();
  await leaveClaim({ owner: gone, guard: alive(guard.pid) });
  const guardAfterClaim = claimDirectory(room.directory, room.guard).then(() => processIdentity(guard.pid));
  await guard[Symbol.asyncDispose]();
  expect(await guardAfterClaim).toBeUndefined();
});

test('a damaged claim, or one of processes that are gone, counts for nothing', async () => {
  await leaveClaim({ owner: gone, guard: gone });
  await claimDirectory(room.directory, room.guard);
  await leaveClaim({ nonsense: true });
  await claimDirectory(room.directory, room.guard);
});
