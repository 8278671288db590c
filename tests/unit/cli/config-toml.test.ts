import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'smol-toml';
import { describe, expect, it, onTestFinished } from 'vitest';
import { configToml } from '../../../src/cli/scaffold/config-toml.ts';
import { type LoadedConfig, loadConfig } from '../../../src/config/load.ts';
import { sections } from '../../../src/config/sections.ts';

function load(config: string | null): LoadedConfig {
  const projectDir = mkdtempSync(join(tmpdir(), 'ownbase-config-'));
  onTestFinished(() => rmSync(projectDir, { recursive: true }));
  mkdirSync(join(projectDir, 'supabase'));
  if (config !== null) writeFileSync(join(projectDir, 'supabase/config.toml'), config);
  return loadConfig({ projectDir, env: {}, flags: {} });
}

/** The file with every commented key and table switched on; prose stays a comment. */
const uncommented = (text: string): string => text.replaceAll(/^# (\[[\w.]+\]|\w+ = .*)$/gm, '$1');

describe('the config.toml of a new project', () => {
  it('changes no setting and warns of nothing', () => {
    const { config, warnings } = load(configToml('my-app'));
    const { config: defaults } = load(null);
    expect(warnings).toEqual([]);
    expect({ ...config, projectDir: '' }).toEqual({ ...defaults, projectDir: '' });
  });

  it('names every key of the option tables', () => {
    const text = configToml('my-app');
    const paths = Object.values(sections)
      .flatMap((section) => Object.values(section))
      .flatMap((option) => ('toml' in option && option.kind.name !== 'table' ? [String(option.toml)] : []));
    const missing = paths.filter((path) => {
      const [table, key] = [path.slice(0, path.lastIndexOf('.')), path.slice(path.lastIndexOf('.') + 1)];
      const block = uncommented(text).split(`\n[${table}]\n`)[1]?.split(/\n\[/)[0] ?? '';
      return !new RegExp(`^${key} = `, 'm').test(block);
    });
    expect(missing).toEqual([]);
  });

  it('is TOML with its comments switched on too', () => {
    expect(Object.keys(parse(uncommented(configToml('my-app'))))).toEqual(
      expect.arrayContaining(['project_id', 'api', 'db', 'auth', 'storage', 'realtime', 'studio']),
    );
  });
});
