import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { type CatalogDescription, describeCatalog } from '../../fixtures/catalog/describe-catalog.ts';
import { createTestDatabase } from '../../support/database.ts';

const expectedFile = new URL('../../fixtures/catalog/expected.json', import.meta.url);

// Roles belong to the cluster that test files share: what others make or set for a moment is left out.
const settled = (catalog: CatalogDescription, known: readonly string[]): CatalogDescription => ({
  ...catalog,
  roles: Object.fromEntries(
    known.map((name) => {
      const role = catalog.roles[name] ?? { attributes: 'missing', memberOf: [], settings: [] };
      return [name, { ...role, settings: role.settings.filter((setting) => !setting.startsWith('pgrst.')) }];
    }),
  ),
});

const database = await createTestDatabase();
const catalog = await describeCatalog(database.owner);
const expected: CatalogDescription = JSON.parse(await readFile(expectedFile, 'utf8'));

test('roles have the described attributes, memberships and settings', async () => {
  const roles = settled(catalog, Object.keys(expected.roles)).roles;
  expect(roles).toEqual(expected.roles);
});

test.each(Object.keys(expected.schemas))('schema %s is as described', async (name) => {
  expect(catalog.schemas[name]).toEqual(expected.schemas[name]);
});

test('publications, event triggers and extensions are as described', async () => {
  const { publications, eventTriggers, extensions } = catalog;
  expect({ publications, eventTriggers, extensions }).toEqual({
    publications: expected.publications,
    eventTriggers: expected.eventTriggers,
    extensions: expected.extensions,
  });
});
