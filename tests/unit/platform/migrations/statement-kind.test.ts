import { describe, expect, it } from 'vitest';
import { kindOf } from '../../../../src/platform/migrations/statement-kind.ts';

const extension = {
  kind: 'extension',
  action: 'create',
  tolerant: false,
  cascade: false,
  schema: null,
  version: null,
};

describe('statements about extensions are understood', () => {
  it.each([
    ['create extension vector', { ...extension, names: ['vector'] }],
    [
      '/* x */ CREATE EXTENSION IF NOT EXISTS "uuid-ossp" WITH SCHEMA "extensions"',
      { ...extension, names: ['uuid-ossp'], tolerant: true, schema: 'extensions' },
    ],
    [
      "create extension if not exists postgis schema gis version '3.4' cascade",
      { ...extension, names: ['postgis'], tolerant: true, schema: 'gis', version: '3.4', cascade: true },
    ],
    [
      'drop extension if exists a, "b-c" cascade',
      { ...extension, action: 'drop', names: ['a', 'b-c'], tolerant: true, cascade: true },
    ],
    [
      'alter extension pg_net set schema extensions',
      { ...extension, action: 'alter', names: ['pg_net'], schema: 'extensions' },
    ],
    [
      "alter extension vector update to '0.8.0'",
      { ...extension, action: 'alter', names: ['vector'], version: '0.8.0' },
    ],
    ["comment on extension pgcrypto is 'x'", { ...extension, action: 'comment', names: ['pgcrypto'] }],
  ])('%s', (statement, expected) => {
    expect(kindOf(statement)).toEqual(expected);
  });
});

describe('statements that a transaction cannot hold are told apart', () => {
  it.each(['vacuum analyze t', 'alter system set x = 1', 'create database d', 'reindex database d'])(
    '%s has no form that a transaction can hold',
    (statement) => {
      expect(kindOf(statement)).toEqual({ kind: 'no-transaction', inTransaction: null });
    },
  );

  it.each([
    ['create index concurrently i on t (a)', 'create index              i on t (a)'],
    [
      'create unique index concurrently if not exists i on t (a)',
      'create unique index              if not exists i on t (a)',
    ],
    ['drop index concurrently i', 'drop index              i'],
    ['reindex table concurrently t', 'reindex table              t'],
    ['alter table t detach partition p concurrently', 'alter table t detach partition p             '],
  ])('%s runs in one without CONCURRENTLY', (statement, inTransaction) => {
    expect(kindOf(statement)).toEqual({ kind: 'no-transaction', inTransaction });
  });

  it.each([
    'refresh materialized view concurrently v',
    'create index "concurrently" on t (a)',
    'select 1',
    'alter table t add column concurrently_done boolean',
    'rollback to savepoint s',
    'begin',
  ])('%s is sent as it is', (statement) => {
    expect(kindOf(statement)).toEqual({ kind: 'plain' });
  });

  it.each(['commit', 'END', '-- done\nrollback', 'abort work'])('%s ends the transaction', (statement) => {
    expect(kindOf(statement)).toEqual({ kind: 'ends-transaction' });
  });
});
