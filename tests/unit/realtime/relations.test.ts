import { describe, expect, it } from 'vitest';
import type { RelationInfo, RoleAccess } from '../../../src/realtime/changes/model.ts';
import type { Catalog } from '../../../src/realtime/feed/catalog.ts';
import { createRelations } from '../../../src/realtime/feed/relations.ts';

const oid = 7;
const shape = (name: string): RelationInfo => ({
  oid,
  schema: 'public',
  name,
  columns: [],
  columnByName: new Map(),
  primaryKey: [],
  hasRowSecurity: false,
  isPublished: true,
  isMessages: false,
});

/** A catalog whose one relation the test alters, and whose transactions it lets show. */
function setUp() {
  const state = { shape: shape('before'), loads: 0, accessCalls: 0 };
  let show = (): void => {};
  const shown = new Promise<void>((resolve) => {
    show = resolve;
  });
  const catalog: Catalog = {
    async relations() {
      state.loads++;
      return new Map([[oid, state.shape]]);
    },
    async access(relation): Promise<RoleAccess> {
      state.accessCalls++;
      return { columns: new Set([relation.name]), bypassesRowSecurity: false, policy: 'false' };
    },
    published: () => Promise.reject(new Error('not asked here')),
  };
  const relations = createRelations(
    catalog,
    () => 0,
    () => shown,
  );
  return { state, relations, show };
}

describe('what is known of relations', () => {
  it('is read once until the stream announces the relation anew', async () => {
    const { state, relations } = setUp();
    const first = await relations.get(oid);
    expect(await relations.get(oid)).toBe(first);
    expect(state.loads).toBe(1);
  });

  it('is read again only when the announcing transaction shows in the catalog', async () => {
    const { state, relations, show } = setUp();
    await relations.get(oid);
    relations.invalidate(oid, 42);
    const again = relations.get(oid);
    state.shape = shape('after');
    show();
    expect((await again)?.name).toBe('after');
  });

  it('keeps the rights on a replaced shape away from those on the shape that replaced it', async () => {
    const { state, relations } = setUp();
    const before = await relations.get(oid);
    state.shape = shape('after');
    relations.invalidate(oid, null);
    const after = await relations.get(oid);
    if (before === null || after === null) throw new Error('the relation is gone');
    expect(await relations.access(before, 'anon')).toMatchObject({ columns: new Set(['before']) });
    expect(await relations.access(after, 'anon')).toMatchObject({ columns: new Set(['after']) });
  });

  it('remembers the rights of a role', async () => {
    const { state, relations } = setUp();
    const relation = await relations.get(oid);
    if (relation === null) throw new Error('the relation is gone');
    await relations.access(relation, 'anon');
    await relations.access(relation, 'anon');
    expect(state.accessCalls).toBe(1);
  });
});
