import type { Grant, SchemaObject } from './model.ts';

const textOf = ({ role, privilege, column, grantable }: Grant): string =>
  JSON.stringify([role, privilege, column, grantable]);

/** GRANT and REVOKE that turn the rights that an object has into others. */
export function grantChanges(object: SchemaObject, from: readonly Grant[]): readonly string[] {
  const had = new Set(from.map(textOf));
  const has = new Set(object.grants.map(textOf));
  const gone = from.filter((grant) => !has.has(textOf(grant)));
  const come = object.grants.filter((grant) => !had.has(textOf(grant)));
  return [
    ...grouped(gone).map((group) => `REVOKE ${group.privileges} ON ${place(object)} FROM ${group.role}`),
    ...grouped(come).map(
      (group) =>
        `GRANT ${group.privileges} ON ${place(object)} TO ${group.role}${group.grantable ? ' WITH GRANT OPTION' : ''}`,
    ),
  ];
}

/** A view and a materialized view are tables to GRANT; a domain is a domain. */
const place = ({ noun, name }: SchemaObject): string =>
  `${noun === 'VIEW' || noun === 'MATERIALIZED VIEW' ? 'TABLE' : noun} ${name}`;

type Group = { readonly role: string; readonly grantable: boolean; readonly privileges: string };

function grouped(grants: readonly Grant[]): readonly Group[] {
  const groups = new Map<string, { role: string; grantable: boolean; privileges: Set<string> }>();
  for (const { role, privilege, column, grantable } of grants) {
    const key = JSON.stringify([role, grantable]);
    const group = groups.get(key) ?? { role, grantable, privileges: new Set<string>() };
    group.privileges.add(column === null ? privilege : `${privilege} (${column})`);
    groups.set(key, group);
  }
  return [...groups.values()]
    .map(({ role, grantable, privileges }) => ({
      role,
      grantable,
      privileges: [...privileges].sort().join(', '),
    }))
    .sort((a, b) => (a.role < b.role ? -1 : 1));
}
