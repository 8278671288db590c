import pino, { type DestinationStream, type Logger } from 'pino';
import type { Observation, Observer } from '../core/observe.ts';
import { assertNever } from '../core/result.ts';

/** Levels of the log. */
export type LogLevel = 'silent' | 'error' | 'warn' | 'info' | 'debug';

/** Writes observations as one JSON line each; `destination` defaults to standard output. */
export function createLog(level: LogLevel, destination?: DestinationStream): Observer {
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination ?? pino.destination({ dest: 1, sync: false }),
  );
  return (observation) => write(logger, observation);
}

const levelOf = (status: number): 'error' | 'warn' | 'info' =>
  status >= 500 ? 'error' : status >= 400 ? 'warn' : 'info';

function write(logger: Logger, observation: Observation): void {
  switch (observation.kind) {
    case 'request-done': {
      const { kind, ms, ...fields } = observation;
      logger[levelOf(fields.status)]({ ...fields, ms: Math.round(ms * 10) / 10 }, 'request');
      return;
    }
    case 'fault': {
      const { error, service, requestId } = observation;
      const cause =
        error instanceof Error ? { error: error.message, stack: error.stack } : { error: String(error) };
      logger.error({ service, requestId, ...cause }, observation.message);
      return;
    }
    case 'notice':
      logger[observation.level]({ service: observation.service, ...observation.fields }, observation.message);
      return;
    case 'schema-reloaded':
      logger.info(
        {
          service: 'rest',
          ms: Math.round(observation.ms),
          tables: observation.tables,
          reason: observation.reason,
        },
        'schema cache loaded',
      );
      return;
    case 'feed-progress':
      logger.debug(
        { service: 'realtime', lagBytes: observation.lagBytes, changes: observation.changes },
        'change feed',
      );
      return;
    case 'sockets':
      logger.debug({ service: 'realtime', open: observation.open }, 'sockets');
      return;
    default:
      assertNever(observation);
  }
}
