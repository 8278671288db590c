import { describe, expect, it } from 'vitest';
import { assembleConfig } from '../../../../src/rest/config/assemble.ts';
import { noInDatabaseConfig } from '../../../../src/rest/config/in-database.ts';
import type { RestServerConfig } from '../../../../src/rest/config/model.ts';
import { environmentValues, firstOf, settingValues } from '../../../../src/rest/config/raw-values.ts';

const assemble = (env: Record<string, string>, settings: Record<string, string> = {}) =>
  assembleConfig({
    values: firstOf(settingValues(new Map(Object.entries(settings))), environmentValues(env)),
    appSettings: new Map([['app.settings.name', 'value']]),
    roles: noInDatabaseConfig.roles,
    secretFile: null,
  });

const config = (env: Record<string, string>, settings?: Record<string, string>): RestServerConfig => {
  const result = assemble(env, settings);
  if (!result.ok) throw new Error(result.error.join('\n'));
  return result.value;
};

const problems = (env: Record<string, string>): readonly string[] => {
  const result = assemble(env);
  return result.ok ? [] : result.error;
};

describe('the configuration', () => {
  it('has upstream defaults', () => {
    expect(config({})).toMatchObject({
      rest: {
        schemas: ['public'],
        extraSearchPath: ['public'],
        anonRole: null,
        maxRows: null,
        transactionEnd: { rollback: false, allowOverride: false },
        openApiMode: 'follow-privileges',
        preparedStatements: true,
        corsAllowedOrigins: null,
        hoistedSettings: [
          'statement_timeout',
          'plan_filter.statement_cost_limit',
          'default_transaction_isolation',
        ],
        jwt: { secret: null, audience: null, cacheMaxEntries: 1000 },
        appSettings: [['app.settings.name', 'value']],
      },
      database: {
        uri: 'postgresql://',
        poolSize: 10,
        acquisitionTimeoutSeconds: 10,
        maxLifetimeSeconds: 1800,
        maxIdleSeconds: 30,
        automaticRecovery: true,
        channel: 'pgrst',
        channelEnabled: true,
        inDatabaseConfig: true,
      },
      server: { host: '!4', port: 3000, unixSocket: null, unixSocketMode: 0o660 },
      admin: { host: '!4', port: null },
      log: { level: 'error', query: false },
    });
  });

  it('splits lists at commas and functions at the first dot', () => {
    const { rest } = config({
      PGRST_DB_SCHEMAS: 'v1, SPECIAL "@/\\#~_-',
      PGRST_DB_EXTRA_SEARCH_PATH: '',
      PGRST_DB_PRE_REQUEST: 'auth.check',
      PGRST_DB_ROOT_SPEC: 'root',
    });
    expect(rest).toMatchObject({
      schemas: ['v1', 'SPECIAL "@/\\#~_-'],
      extraSearchPath: [],
      preRequest: { schema: 'auth', name: 'check' },
      rootSpec: { schema: '', name: 'root' },
    });
  });

  it('prefers settings of the database to the environment', () => {
    expect(config({ PGRST_DB_MAX_ROWS: '10' }, { db_max_rows: '20' }).rest.maxRows).toBe(20);
  });

  it.each([
    ['TRUE', true],
    ['"true"', true],
    ['1', true],
    ['0', false],
    ['False', false],
    ['maybe', false],
  ])('reads %s as %s', (text, value) => {
    expect(config({ PGRST_DB_PLAN_ENABLED: text }).rest.planEnabled).toBe(value);
  });

  it('knows the old names of options', () => {
    expect(config({ PGRST_MAX_ROWS: '5', PGRST_DB_SCHEMA: 'old' }).rest).toMatchObject({
      maxRows: 5,
      schemas: ['old'],
    });
  });

  it('decodes a base64 secret in both alphabets', () => {
    const bytes = Buffer.from([0xfb, 0xff, 0xfe, 0x01]);
    const texts = ['+//+AQ==', '-__-AQ=='.replace('==', '..')];
    for (const text of texts) {
      const { jwt } = config({ PGRST_JWT_SECRET: text, PGRST_JWT_SECRET_IS_BASE64: 'true' }).rest;
      expect(jwt.secret).toEqual(bytes);
    }
  });

  it('lists every problem at once', () => {
    expect(
      problems({
        PGRST_DB_TX_END: 'perhaps',
        PGRST_OPENAPI_MODE: 'secret',
        PGRST_LOG_LEVEL: 'loud',
        PGRST_OPENAPI_SERVER_PROXY_URI: 'ftp://x',
        PGRST_JWT_ROLE_CLAIM_KEY: 'role',
        PGRST_JWT_AUD: 'http://%%',
        PGRST_SERVER_UNIX_SOCKET_MODE: '400',
        PGRST_ADMIN_SERVER_PORT: '3000',
        PGRST_JWT_SECRET: '???',
        PGRST_JWT_SECRET_IS_BASE64: 'yes',
      }),
    ).toEqual([
      'Invalid transaction termination. Check your configuration.',
      'Invalid openapi-mode. Check your configuration.',
      'Malformed proxy uri, a correct example: https://example.com:8443/basePath',
      expect.stringContaining('jwt-aud'),
      expect.stringContaining('role-claim-key'),
      'Invalid server-unix-socket-mode: needs to be between 600 and 777',
      'admin-server-port cannot be the same as server-port',
      'Invalid logging level. Check your configuration.',
    ]);
    expect(problems({ PGRST_JWT_SECRET: '???', PGRST_JWT_SECRET_IS_BASE64: 'true' })).toEqual([
      'jwt-secret is not valid base64',
    ]);
  });
});
