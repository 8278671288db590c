import { describe, expect, it } from 'vitest';
import {
  extensionAction,
  missingExtensions,
  missingExtensionsError,
} from '../../../../src/platform/migrations/extensions.ts';
import { splitStatements } from '../../../../src/platform/migrations/split.ts';
import { type ExtensionStatement, kindOf } from '../../../../src/platform/migrations/statement-kind.ts';

const script = (path: string, text: string) => ({ path, text, statements: splitStatements(text) });

function parse(statement: string): ExtensionStatement {
  const kind = kindOf(statement);
  if (kind.kind !== 'extension') throw new Error(`not about an extension: ${statement}`);
  return kind;
}

describe('missing extensions', () => {
  const available = new Set(['pgcrypto']);

  it('are those that the server lacks and that are not absorbed', () => {
    const missing = missingExtensions(
      [
        script('a.sql', 'create extension pgcrypto; create extension vector; create extension pg_cron'),
        script(
          'b.sql',
          'create extension if not exists vector; drop extension postgis; create extension postgis',
        ),
      ],
      available,
    );
    expect([...missing]).toEqual([
      ['vector', ['a.sql', 'b.sql']],
      ['postgis', ['b.sql']],
    ]);
  });

  it('are reported in one error with the ways out', () => {
    const { message } = missingExtensionsError(new Map([['vector', ['a.sql', 'b.sql']]]));
    expect(message).toContain('vector (a.sql, b.sql)');
    for (const way of ['--pg-bin', '--db-url', 'docker compose', '--skip-missing-extensions']) {
      expect(message).toContain(way);
    }
  });
});

describe('a statement about an extension', () => {
  const rules = {
    available: new Set(['pgcrypto']),
    privileged: new Set(['pgcrypto']),
    skipped: new Set(['vector']),
  };

  it.each([
    'create extension pg_net',
    'drop extension if exists pg_graphql',
    'alter extension pg_net set schema extensions',
    "comment on extension pg_cron is 'x'",
    'create extension vector',
  ])('%s is passed over when the server lacks it and it is absorbed or skipped', (statement) => {
    expect(extensionAction(parse(statement), rules)).toBe('pass-over');
  });

  it('goes through the privileged functions for what the server has', () => {
    expect(extensionAction(parse('drop extension pgcrypto, pg_net'), rules)).toHaveLength(1);
  });

  it('is sent as written where there are no privileged functions', () => {
    const action = extensionAction(parse('create extension pgcrypto'), {
      ...rules,
      privileged: new Set<string>(),
    });
    expect(action).toBe('as-written');
  });

  it('is sent as written when nothing excuses it, so that the server answers', () => {
    expect(extensionAction(parse("comment on extension postgis is 'x'"), rules)).toBe('as-written');
  });
});
