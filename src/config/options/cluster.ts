import { optional, secret } from '../kind.ts';
import { option } from '../option.ts';

/** Several instances of one project. */
export const clusterOptions = {
  url: option({
    kind: optional(secret),
    default: null,
    env: ['OWNBASE_CLUSTER_URL'],
    description:
      'Broker that joins the instances of one project: redis://, rediss://, nats:// or tls:// (NATS with TLS).',
  }),
};
