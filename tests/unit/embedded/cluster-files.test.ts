import { describe, expect, it } from 'vitest';
import { parsePasswd } from '../../../src/embedded/account.ts';
import { parsePostmasterPid, parseSupervisorPid } from '../../../src/embedded/cluster-files.ts';
import { explain } from '../../../src/embedded/postmaster.ts';
import { serverArguments } from '../../../src/embedded/settings.ts';

describe('the files of a data directory', () => {
  it.each([
    ['a running server', '42\n/data\n17\n5432\n/run\nlocalhost\n 1 2\nready   \n', 'ready', 5432],
    ['one that is starting', '42\n/data\n17\n5432\n/run\n\n\nstarting\n', 'starting', 5432],
    ['one whose file is being written', '42\n/data\n', '', undefined],
  ])('%s', (_name, text, status, port) => {
    expect(parsePostmasterPid(text)).toEqual({ pid: 42, dataDir: '/data', status, port });
  });

  it.each(['', '\n', 'x\n/data\n', '42'])('%j is no pid file', (text) => {
    expect(parsePostmasterPid(text)).toBeUndefined();
  });

  it('name the supervisor that started the server', () => {
    const args = serverArguments({
      port: 1,
      listenAddress: '127.0.0.1',
      socketDir: '/run',
      supervisorPid: 4711,
      durable: true,
      preload: ['pg_stat_statements'],
      settings: { 'ownbase.supervisor_pid': '1', max_connections: '50' },
    });
    expect(parseSupervisorPid(args.map((arg) => `"${arg}"`).join(' '))).toBe(4711);
    expect(args).toEqual(expect.arrayContaining(['max_connections=50', 'wal_level=logical']));
    expect(parseSupervisorPid('postgres "-D" "/data"')).toBeUndefined();
  });
});

describe('the log of a failed start', () => {
  it('is cut down to the lines that tell why', () => {
    expect(explain('LOG:  starting\nFATAL:  no\nHINT:  do\nLOG:  shut down\n')).toBe(
      'Its log says:\nFATAL:  no\nHINT:  do',
    );
  });

  it('is shown to its end when none does', () => {
    expect(explain('a\nb')).toBe('Its log says:\na\nb');
    expect(explain('')).toBe('Its log is empty.');
  });
});

it('a password file is read but for lines that are none', () => {
  expect(parsePasswd('root:x:0:0:root:/root:/bin/sh\n# note\nbad:x:y:1\npostgres:x:101:104::/:\n')).toEqual([
    { name: 'root', uid: 0, gid: 0 },
    { name: 'postgres', uid: 101, gid: 104 },
  ]);
});
