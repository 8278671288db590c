import pg from 'pg';

const { builtins } = pg.types;

/**
 * How `objects` rows read Postgres types: timestamps and dates stay the server's text (microseconds and infinity
 * survive), int8 stays text (no silent rounding), json and numbers are parsed.
 */
export const textualTypes: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    switch (oid) {
      case builtins.TIMESTAMP:
      case builtins.TIMESTAMPTZ:
      case builtins.DATE:
      case builtins.INTERVAL:
        return (value: string) => value;
      default:
        return pg.types.getTypeParser(oid, format as 'text');
    }
  }) as pg.CustomTypesConfig['getTypeParser'],
};
