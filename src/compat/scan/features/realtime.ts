import { type Feature, supported } from '../feature.ts';

const channel = (...names: string[]): { calls: string[] } => ({
  calls: names.map((name) => `channel.${name}`),
});

/** What apps use of the realtime service. */
export const realtimeFeatures: readonly Feature[] = [
  supported('realtime.channel', 'Channels', ['realtime.join', 'realtime.connect'], {
    calls: [
      'client.channel',
      'client.removeChannel',
      'client.removeAllChannels',
      'client.getChannels',
      'client.remove_channel',
      'client.remove_all_channels',
      'client.realtimeV2',
      'realtime.channel',
      'channel.subscribe',
      'channel.unsubscribe',
      'channel.subscribeWithError',
    ],
  }),
  supported('realtime.changes', 'Changes of tables', ['realtime.changes'], {
    calls: [
      'channel.onPostgresChanges',
      'channel.onPostgresChange',
      'channel.postgresChange',
      'channel.postgresChangeFlow',
      'channel.on_postgres_changes',
      'query.stream',
      'query.selectAsFlow',
      'query.selectSingleValueAsFlow',
    ],
    note: 'Several instances on one database need `OWNBASE_CLUSTER_URL`.',
  }),
  supported(
    'realtime.broadcast',
    'Broadcasts',
    ['realtime.broadcast'],
    channel(
      'send',
      'httpSend',
      'sendBroadcastMessage',
      'send_broadcast',
      'onBroadcast',
      'on_broadcast',
      'broadcast',
      'broadcastFlow',
      'broadcastStream',
      'httpSendBroadcastMessage',
    ),
  ),
  supported(
    'realtime.presence',
    'Presence',
    ['realtime.presence'],
    channel(
      'track',
      'untrack',
      'presenceState',
      'presence_state',
      'onPresenceSync',
      'onPresenceJoin',
      'onPresenceLeave',
      'on_presence_sync',
      'on_presence_join',
      'on_presence_leave',
      'onPresenceChange',
      'presenceChange',
      'presenceChangeFlow',
      'presenceDataFlow',
    ),
  ),
  supported('realtime.private', 'Private channels', ['realtime.private']),
  supported('realtime.connection', 'The connection itself', ['realtime.connect'], {
    calls: [
      'realtime.setAuth',
      'realtime.set_auth',
      'realtime.connect',
      'realtime.disconnect',
      'realtime.isConnected',
      'realtime.onHeartbeat',
      'realtime.onHeartbeatStatus',
      'realtime.getChannels',
      'realtime.removeChannel',
      'realtime.removeAllChannels',
    ],
  }),
  supported('realtime.http', 'The realtime service by its URL', [
    'realtime.connect',
    'realtime.broadcast.http',
  ]),
];
