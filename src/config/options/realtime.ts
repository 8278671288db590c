import { boolean } from '../kind.ts';
import { option } from '../option.ts';

/** The realtime service. */
export const realtimeOptions = {
  enabled: option({
    kind: boolean,
    default: true,
    toml: 'realtime.enabled',
    description: 'Serve /realtime/v1.',
  }),
};
