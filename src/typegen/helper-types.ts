/** The parts of `Database` that a helper type reaches, its parameter names, and what it takes out of them. */
type Helper = {
  readonly name: string;
  readonly parameter: string;
  readonly key: string;
  readonly groups: readonly string[];
  /** `Row`, `Insert`, `Update`; null when the member itself is the result. */
  readonly field: string | null;
};

const helpers: readonly Helper[] = [
  {
    name: 'Tables',
    parameter: 'DefaultSchemaTableNameOrOptions',
    key: 'TableName',
    groups: ['Tables', 'Views'],
    field: 'Row',
  },
  {
    name: 'TablesInsert',
    parameter: 'DefaultSchemaTableNameOrOptions',
    key: 'TableName',
    groups: ['Tables'],
    field: 'Insert',
  },
  {
    name: 'TablesUpdate',
    parameter: 'DefaultSchemaTableNameOrOptions',
    key: 'TableName',
    groups: ['Tables'],
    field: 'Update',
  },
  {
    name: 'Enums',
    parameter: 'DefaultSchemaEnumNameOrOptions',
    key: 'EnumName',
    groups: ['Enums'],
    field: null,
  },
  {
    name: 'CompositeTypes',
    parameter: 'PublicCompositeTypeNameOrOptions',
    key: 'CompositeTypeName',
    groups: ['CompositeTypes'],
    field: null,
  },
];

/** `Tables<>`, `TablesInsert<>` and the like, by which apps name rows. */
export const helperTypes = (): string => helpers.map(helperType).join('\n\n');

function helperType({ name, parameter, key, groups, field }: Helper): string {
  const schemas = 'keyof DatabaseWithoutInternals';
  const chosen = `DatabaseWithoutInternals[${parameter}["schema"]]`;
  const all = (owner: string): string => {
    const members = groups.map((group) => `${owner}["${group}"]`);
    return members.length === 1 ? (members[0] ?? '') : `(${members.join(' & ')})`;
  };
  const take = (member: string): string =>
    field === null
      ? member
      : `${member} extends { ${field}: infer ${field.charAt(0)} } ? ${field.charAt(0)} : never`;
  // The formatter keeps an object open when its first key stands on a line of its own.
  const opened = (text: string): string =>
    text.replaceAll(/\{ (Row|Insert|Update): infer (\w) \}/g, '{\n$1: infer $2\n}');
  return opened(`export type ${name}<
  ${parameter} extends | keyof ${all('DefaultSchema')} | { schema: ${schemas} },
  ${key} extends ${parameter} extends {
    schema: ${schemas}
  } ? keyof ${all(chosen)} : never = never
> = ${parameter} extends { schema: ${schemas} }
  ? ${take(`${all(chosen)}[${key}]`)}
  : ${parameter} extends keyof ${all('DefaultSchema')}
  ? ${take(`${all('DefaultSchema')}[${parameter}]`)}
  : never`);
}
