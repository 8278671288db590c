import { boolean, integer, list, optional } from '../kind.ts';
import { option } from '../option.ts';

/** The REST service inside the gateway. `ownbase rest` alone reads PostgREST's own names instead. */
export const apiOptions = {
  enabled: option({ kind: boolean, default: true, toml: 'api.enabled', description: 'Serve /rest/v1.' }),
  schemas: option({
    kind: list,
    default: ['public', 'graphql_public'],
    toml: 'api.schemas',
    env: ['PGRST_DB_SCHEMAS'],
    description: 'Schemas that the REST service exposes; the first is the default profile.',
  }),
  extraSearchPath: option({
    kind: list,
    default: ['public', 'extensions'],
    toml: 'api.extra_search_path',
    env: ['PGRST_DB_EXTRA_SEARCH_PATH'],
    description: 'Schemas added to the search path of every REST request.',
  }),
  maxRows: option({
    kind: optional(integer()),
    default: 1000,
    toml: 'api.max_rows',
    env: ['PGRST_DB_MAX_ROWS'],
    description: 'Largest number of rows that one REST response holds.',
  }),
  autoExposeNewTables: option({
    kind: optional(boolean),
    default: null,
    toml: 'api.auto_expose_new_tables',
    description:
      'false takes the rights of the API roles on tables that migrations make, until they are granted; unset keeps them.',
  }),
};
