import { describe, expect, it } from 'vitest';
import { assembleConfig } from '../../../../src/rest/config/assemble.ts';
import { dumpConfig } from '../../../../src/rest/config/dump.ts';
import { exampleConfig } from '../../../../src/rest/config/example.ts';
import { parseConfigFile } from '../../../../src/rest/config/file.ts';
import { noInDatabaseConfig } from '../../../../src/rest/config/in-database.ts';
import { fileValues } from '../../../../src/rest/config/raw-values.ts';

/** Reads a file and writes what it means. */
function redump(source: string): string {
  const entries = parseConfigFile(source);
  if (!entries.ok) throw new Error(entries.error);
  const config = assembleConfig({
    values: fileValues(entries.value),
    appSettings: new Map([...entries.value].filter(([name]) => name.startsWith('app.settings.'))),
    roles: noInDatabaseConfig.roles,
    secretFile: null,
  });
  if (!config.ok) throw new Error(config.error.join('; '));
  return dumpConfig(config.value);
}

describe('a configuration that is written', () => {
  it('is the same when it is read and written again', () => {
    const dumped = redump(`
      db-schemas = "api, v1"
      db-tx-end = "rollback-allow-override"
      db-pre-request = "hooks.before"
      jwt-secret = "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IHNlY3JldA=="
      jwt-secret-is-base64 = true
      jwt-role-claim-key = ".roles[1].\\"x y\\"[?(@ ^== \\"app_\\")]"
      server-unix-socket-mode = "640"
      app.settings.b = "2 \\"quoted\\""
      app.settings.a = "1"`);
    expect(redump(dumped)).toBe(dumped);
    expect(dumped).toContain('db-schemas = "api,v1"\n');
    expect(dumped).toContain('db-tx-end = "rollback-allow-override"\n');
    expect(dumped).toContain('db-pre-request = "hooks.before"\n');
    expect(dumped).toContain('jwt-secret = "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IHNlY3JldA=="\n');
    expect(dumped).toContain(String.raw`jwt-role-claim-key = ".\"roles\"[1].\"x y\"[?(@ ^== \"app_\")]"`);
    expect(dumped).toContain('server-unix-socket-mode = "640"\n');
    expect(dumped.endsWith('app.settings.a = "1"\napp.settings.b = "2 \\"quoted\\""\n')).toBe(true);
  });

  it('names every option, also those that nobody set', () => {
    const dumped = redump('');
    expect(dumped.split('\n')).toHaveLength(41);
    expect(dumped).toContain('db-max-rows = ""\n');
    expect(dumped).toContain('admin-server-host = "!4"\nadmin-server-port = ""\n');
  });
});

describe('the example of a configuration', () => {
  it('has the defaults', () => {
    expect(redump(exampleConfig)).toBe(redump(''));
  });
});
