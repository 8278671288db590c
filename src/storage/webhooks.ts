import type { StorageInput } from './deps.ts';
import { type DueEvent, takeDueEvents } from './store/announcements.ts';
import { settle } from './store/outbox.ts';

const batchSize = 50;
const patienceMs = 6_000;
/** Tries after which nobody is told any more: about half a day of them. */
const mostAttempts = 20;

type WebhookDeps = Pick<StorageInput, 'config' | 'serviceDb' | 'keys' | 'publicUrl' | 'observer' | 'clock'>;

/** Tells the webhook one batch of due events; yields how many were due. What fails is tried again later. */
export async function tellWebhook(deps: WebhookDeps): Promise<number> {
  const { config, serviceDb } = deps;
  if (config.webhookUrl === null) return 0;
  const due = await takeDueEvents(serviceDb, batchSize);
  const done: string[] = [];
  for (const event of due) {
    if ((await isTold(deps, config.webhookUrl, event)) || event.attempts >= mostAttempts) done.push(event.id);
  }
  await settle(serviceDb, done);
  return due.length;
}

async function isTold(deps: WebhookDeps, url: string, event: DueEvent): Promise<boolean> {
  try {
    await tell(deps, url, event);
    return true;
  } catch (thrown) {
    deps.observer({
      kind: 'notice',
      service: 'storage',
      level: 'warn',
      message: 'the webhook could not be told of an event',
      fields: { event: event.type, attempts: event.attempts, reason: String(thrown) },
    });
    return false;
  }
}

/** Upstream: src/storage/events/lifecycle/webhook.ts. */
async function tell(
  { config, keys, publicUrl, clock }: WebhookDeps,
  url: string,
  event: DueEvent,
): Promise<void> {
  const tenant = { ref: config.tenantId, host: new URL(publicUrl).host };
  const reply = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(config.webhookApiKey === null ? {} : { authorization: `Bearer ${config.webhookApiKey}` }),
    },
    body: JSON.stringify({
      type: 'Webhook',
      event: {
        type: event.type,
        region: keys.s3.region,
        $version: 'v1',
        applyTime: event.createdAtMs,
        payload: { tenant, ...event.payload },
      },
      sentAt: new Date(clock.now()).toISOString(),
      tenant,
    }),
    signal: AbortSignal.timeout(patienceMs),
  });
  await reply.body?.cancel();
  if (!reply.ok) throw new Error(`the webhook answered ${reply.status}`);
}
