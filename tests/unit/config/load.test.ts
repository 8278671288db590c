import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bytes, duration } from '../../../src/config/kind.ts';
import { ConfigError, type LoadedConfig, loadConfig } from '../../../src/config/load.ts';

let project: string;
beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), 'ownbase-config-'));
  mkdirSync(join(project, 'supabase'));
});
afterEach(() => rmSync(project, { recursive: true }));

const toml = (text: string): void => writeFileSync(join(project, 'supabase', 'config.toml'), text);
const load = (env: Record<string, string> = {}, flags: Record<string, unknown> = {}): LoadedConfig =>
  loadConfig({ projectDir: project, env, flags });

describe('the configuration', () => {
  it('takes the defaults of the Supabase CLI for what nobody says', () => {
    const { config } = load();
    expect(config.gateway.port).toBe(54321);
    expect(config.db.port).toBe(54322);
    expect(config.api.schemas).toEqual(['public', 'graphql_public']);
    expect(config.storage.fileSizeLimit).toBe(52_428_800);
  });

  it('prefers a flag to the environment, the environment to the file, and the file to the default', () => {
    toml('[api]\nport = 1000\nmax_rows = 5');
    expect(load().config.gateway.port).toBe(1000);
    expect(load({ OWNBASE_PORT: '2000' }).config.gateway.port).toBe(2000);
    const loaded = load({ OWNBASE_PORT: '2000' }, { port: 3000 });
    expect(loaded.config.gateway.port).toBe(3000);
    expect(loaded.provenance.get('gateway.port')).toEqual({ source: 'flag', name: '--port' });
    expect(loaded.provenance.get('api.maxRows')).toEqual({ source: 'config.toml', name: 'api.max_rows' });
  });

  it('understands SUPABASE_<SECTION>_<KEY> for every key of the file', () => {
    expect(load({ SUPABASE_API_MAX_ROWS: '7' }).config.api.maxRows).toBe(7);
  });

  it('replaces env(NAME) from the environment and the project’s .env files, and warns when it is not set', () => {
    toml('[auth]\nsite_url = "env(SITE)"\njwt_secret = "env(MISSING_SECRET)"');
    writeFileSync(join(project, '.env'), 'SITE=https://app.example\n');
    const loaded = load();
    expect(loaded.config.auth.siteUrl).toBe('https://app.example');
    expect(loaded.warnings).toContain('config.toml uses env(MISSING_SECRET), which is not set');
  });

  it('warns about an unknown key with the nearest known name, and goes on', () => {
    toml('[api]\nmax_row = 5\n[studio]\nenabled = true\n[functions.hello]\nverify_jwt = false');
    expect(load().warnings).toEqual(['config.toml: unknown key api.max_row (did you mean api.max_rows?)']);
  });

  it('lists every problem at once, each with where it came from', () => {
    toml('[db]\nport = 99999\n[storage]\nfile_size_limit = "huge"');
    const attempt = (): unknown => load({ OWNBASE_PORT: 'x' });
    expect(attempt).toThrow(ConfigError);
    try {
      attempt();
    } catch (error) {
      expect((error as ConfigError).problems).toEqual([
        'OWNBASE_PORT (env): must be a whole number from 0 to 65535',
        'db.port (config.toml): must be a whole number from 0 to 65535',
        'storage.file_size_limit (config.toml): must be a size such as 50MiB or 20MB',
      ]);
    }
  });

  it('names file, line and column of a file that is not TOML', () => {
    toml('[api\nport = 1');
    expect(() => load()).toThrow(/config\.toml:1:\d+/);
  });
});

describe('a duration', () => {
  it.each([
    ['90s', 90_000],
    ['1h30m', 5_400_000],
    ['250us', 0.25],
    ['1ns', 1e-6],
    ['500ms', 500],
    ['60', 60_000],
  ])('%s is %i milliseconds', (text, ms) => expect(duration.parse(text)).toBe(ms));
  it.each(['', 'soon', '1x', '5m later'])('%j is not one', (text) =>
    expect(() => duration.parse(text)).toThrow(RangeError),
  );
});

describe('a size', () => {
  it.each([
    ['50MiB', 52_428_800],
    ['20mb', 20_000_000],
    ['1024', 1024],
    ['1.5kb', 1500],
  ])('%s is %i bytes', (text, size) => expect(bytes.parse(text)).toBe(size));
});
