import { boolean, bytes, duration, integer, oneOf, optional, string } from '../kind.ts';
import { option } from '../option.ts';

/** The realtime service. A limit of 0 is no limit. */
export const realtimeOptions = {
  enabled: option({
    kind: boolean,
    default: true,
    toml: 'realtime.enabled',
    description: 'Serve /realtime/v1.',
  }),
  privateOnly: option({
    kind: boolean,
    default: false,
    env: ['OWNBASE_REALTIME_PRIVATE_ONLY'],
    description: 'Refuse channels that no policy guards.',
  }),
  maxConcurrentUsers: option({
    kind: integer(),
    default: 0,
    env: ['TENANT_MAX_CONCURRENT_USERS'],
    description: 'Open sockets; 0 for no limit.',
  }),
  maxChannelsPerClient: option({
    kind: integer(),
    default: 100,
    env: ['TENANT_MAX_CHANNELS_PER_CLIENT'],
    description: 'Channels of one socket; 0 for no limit.',
  }),
  maxJoinsPerSecond: option({
    kind: integer(),
    default: 0,
    env: ['TENANT_MAX_JOINS_PER_SECOND'],
    description: 'Joins per second, averaged over a minute; 0 for no limit.',
  }),
  maxEventsPerSecond: option({
    kind: integer(),
    default: 0,
    env: ['TENANT_MAX_EVENTS_PER_SECOND'],
    description:
      'Broadcasts per second, sent and delivered ones, averaged over a minute; 0 for no limit. Database changes count apart, with the same number.',
  }),
  maxPresenceEventsPerSecond: option({
    kind: integer(),
    default: 0,
    env: ['TENANT_MAX_PRESENCE_EVENTS_PER_SECOND'],
    description: 'Presence messages per second, averaged over a minute; 0 for no limit.',
  }),
  maxPayloadKilobytes: option({
    kind: integer(1),
    default: 3000,
    env: ['TENANT_MAX_PAYLOAD_SIZE_IN_KB'],
    description: 'Largest payload of a broadcast or of a presence entry, in thousands of bytes.',
  }),
  clientPresenceMaxCalls: option({
    kind: integer(),
    default: 5,
    env: ['CLIENT_PRESENCE_MAX_CALLS'],
    description: 'Presence calls of one channel in each window; 0 for no limit.',
  }),
  clientPresenceWindowMs: option({
    kind: integer(1),
    default: 30_000,
    env: ['CLIENT_PRESENCE_WINDOW_MS'],
    description: 'Window of the presence calls, in milliseconds.',
  }),
  channelErrorDelayMs: option({
    kind: integer(),
    default: 5_000,
    env: ['CHANNEL_ERROR_BACKOFF_MS'],
    description: 'Delay of the answer to a refused join, in milliseconds.',
  }),
  connectErrorDelayMs: option({
    kind: integer(),
    default: 2_000,
    env: ['CONNECT_ERROR_BACKOFF_MS'],
    description: 'Delay of the answer to a refused connection, in milliseconds.',
  }),
  noChannelTimeoutMs: option({
    kind: integer(1),
    default: 600_000,
    env: ['NO_CHANNEL_TIMEOUT_IN_MS'],
    description: 'After this time a socket without channels is closed, in milliseconds.',
  }),
  idleTimeoutMs: option({
    kind: duration,
    default: 60_000,
    env: ['OWNBASE_REALTIME_IDLE_TIMEOUT'],
    description: 'A socket that sends nothing for this long is closed; clients send heartbeats.',
  }),
  maxSocketBufferBytes: option({
    kind: bytes,
    default: 4 * 1024 ** 2,
    env: ['OWNBASE_REALTIME_SOCKET_BUFFER'],
    description: 'Unsent bytes after which a slow socket is closed.',
  }),
  publication: option({
    kind: string,
    default: 'supabase_realtime',
    env: ['OWNBASE_REALTIME_PUBLICATION'],
    description: 'Publication whose tables clients may subscribe to.',
  }),
  slotName: option({
    kind: optional(string),
    default: null,
    env: ['OWNBASE_REALTIME_SLOT'],
    description: 'Name of the replication slot; by default made of the id of the database.',
  }),
  maxSlotLagBytes: option({
    kind: bytes,
    default: 1024 ** 3,
    env: ['OWNBASE_REALTIME_SLOT_LAG'],
    description:
      'WAL that the slot may hold back. When more has gathered, the slot is made anew and clients are told.',
  }),
  deleteVisibility: option({
    kind: oneOf('all', 'strict'),
    default: 'all',
    toml: 'realtime.delete_visibility',
    env: ['OWNBASE_REALTIME_DELETE_VISIBILITY'],
    description:
      'Who is told the key of a row that was deleted under row security: `all` whose filters fit, as upstream, or with `strict` only those whose policies show the row as it was. What a policy reads of it must be in the replica identity of the table.',
  }),
  visibilityTimeoutMs: option({
    kind: duration,
    default: 2_000,
    env: ['OWNBASE_REALTIME_VISIBILITY_TIMEOUT'],
    description: 'Time that one check of row security may take; a slower one hides the rows.',
  }),
};
