/** The text that a source gives to an option, by the option's dashed name; undefined when it says nothing. */
export type RawValues = (name: string) => string | undefined;

/** Values of environment variables: `db-uri` is `PGRST_DB_URI`. */
export const environmentValues =
  (env: Readonly<Record<string, string | undefined>>): RawValues =>
  (name) =>
    env[`PGRST_${name.replaceAll('-', '_').toUpperCase()}`];

/** Values of settings of the database role: `db-schemas` is `db_schemas`, its prefix already gone. */
export const settingValues =
  (settings: ReadonlyMap<string, string>): RawValues =>
  (name) =>
    settings.get(name.replaceAll('-', '_'));

/** Values of a parsed file. */
export const fileValues =
  (entries: ReadonlyMap<string, string>): RawValues =>
  (name) =>
    entries.get(name);

/** The first source that says something wins. */
export const firstOf =
  (...sources: readonly RawValues[]): RawValues =>
  (name) => {
    for (const source of sources) {
      const value = source(name);
      if (value !== undefined) return value;
    }
    return undefined;
  };
