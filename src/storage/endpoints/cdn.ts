import { z } from 'zod';
import { jsonReply } from '../../http/exchange.ts';
import { type Purge, purgeCache } from '../cdn.ts';
import { endpoint } from '../endpoint.ts';
import { StorageError } from '../errors.ts';
import type { PathParams } from '../wire/path.ts';
import { flag, read } from '../wire/schema.ts';

const purgeQuery = z.object({ transformations: flag.optional() });

const purge = (target: (params: PathParams) => Omit<Purge, 'onlyTransforms'>) =>
  endpoint({
    input: ({ query }) => read('querystring', purgeQuery, query),
    async handle(deps, { params, input }) {
      await purgeCache(deps.config, {
        ...target(params),
        onlyTransforms: input.transformations ?? false,
      });
      return jsonReply(200, { message: 'success' });
    },
  });

/** `DELETE /cdn` */
export const purgeEverything = purge(() => ({}));

/** `DELETE /cdn/:bucket` */
export const purgeBucket = purge(({ bucket }) => ({ bucket }));

/** `DELETE /cdn/:bucket/*` */
export const purgeObject = purge(({ bucket, name }) => {
  if (name === '') throw new StorageError('InvalidSchema', 'params/* must NOT have fewer than 1 characters');
  return { bucket, name };
});
