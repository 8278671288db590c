import { renderSVG } from 'uqr';
import type { UserCall } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { mfaFailure } from '../failures/mfa.ts';
import { makeTotpSecret, totpUri } from '../mfa/totp.ts';
import { deleteFactors, deleteStaleFactors, insertFactor } from '../store/factors.ts';
import type { Factor, FactorType, JsonObject } from '../store/rows.ts';
import { reloadUser } from '../store/users.ts';
import { timestampAt } from '../timestamp.ts';
import { demandPhone } from './addresses.ts';
import { type Flow, runFlow } from './flow.ts';

/** A factor may be verified for this long, whatever the configuration says. */
const minFactorExpiryMs = 300_000;

/** A factor that a user wants to set up. */
export type Enrollment = {
  readonly type: FactorType;
  readonly friendlyName: string;
  readonly issuer: string;
  readonly phone: string;
};

/**
 * Begins the enrolment of a factor and yields what the user needs to finish it.
 * Upstream: internal/api/mfa.go (EnrollFactor).
 */
export async function enrollFactor(
  context: AuthContext,
  call: UserCall,
  wanted: Enrollment,
): Promise<JsonObject> {
  demandEnabled(context, wanted.type);
  const phone = wanted.type === 'phone' ? demandFactorPhone(wanted.phone) : null;
  const id = context.random.uuid();
  const secret = wanted.type === 'totp' ? makeTotpSecret(context.random) : null;
  const factor = await runFlow(context, call, async (flow) => {
    if (phone !== null) await clearPhone(flow, call, phone);
    await demandRoom(context, flow, call, wanted.friendlyName);
    const made = await insertFactor(
      flow.tx,
      {
        id,
        user_id: call.user.id,
        factor_type: wanted.type,
        friendly_name: wanted.friendlyName,
        secret: secret === null ? '' : context.encryption.seal(id, secret),
        phone,
      },
      context.now(),
    );
    const traits = wanted.type === 'totp' ? { factor_id: id } : { factor_id: id, factor_type: wanted.type };
    await context.audit.record(flow.tx, call.user, 'factor_in_progress', traits, call.request.ip);
    return made;
  });
  return enrolledJson(context, call, wanted, factor, secret);
}

function demandEnabled({ config }: AuthContext, type: FactorType): void {
  if (type === 'phone' && !config.mfaPhoneEnroll) throw mfaFailure.phoneEnrollOff();
  if (type === 'totp' && !config.mfaTotpEnroll) throw mfaFailure.totpEnrollOff();
  if (type === 'webauthn' && !config.mfaWebauthnEnroll) throw mfaFailure.webauthnEnrollOff();
}

function demandFactorPhone(phone: string): string {
  if (phone === '') throw mfaFailure.phoneRequired();
  return demandPhone(phone);
}

/** A phone is a factor once; one that was never verified makes room. */
async function clearPhone(flow: Flow, { user }: UserCall, phone: string): Promise<void> {
  const same = user.factors.filter((factor) => factor.factor_type === 'phone' && factor.phone === phone);
  if (same.some(({ status }) => status === 'verified')) throw mfaFailure.phoneFactorExists();
  if (same.length > 0)
    await deleteFactors(
      flow.tx,
      same.map(({ id }) => id),
    );
}

async function demandRoom(
  context: AuthContext,
  flow: Flow,
  { user, session }: UserCall,
  name: string,
): Promise<void> {
  const { config } = context;
  const keptMs = Math.max(config.mfaFactorExpiryMs, minFactorExpiryMs);
  await deleteStaleFactors(flow.tx, timestampAt(context.clock.now() - keptMs));
  const { factors } = await reloadUser(flow.tx, user);
  if (factors.some((factor) => (factor.friendly_name ?? '') === name)) throw mfaFailure.nameTaken(name);
  const verified = factors.filter(({ status }) => status === 'verified').length;
  if (factors.length >= config.mfaMaxEnrolledFactors) throw mfaFailure.tooMany();
  if (verified >= config.mfaMaxVerifiedFactors) throw mfaFailure.tooMany();
  if (verified > 0 && session?.aal !== 'aal2') throw mfaFailure.enrollNeedsAal2();
}

function enrolledJson(
  context: AuthContext,
  { user }: UserCall,
  wanted: Enrollment,
  factor: Factor,
  secret: string | null,
): JsonObject {
  const common = { id: factor.id, type: wanted.type, friendly_name: wanted.friendlyName };
  if (wanted.type === 'phone') return { ...common, phone: wanted.phone };
  if (secret === null) return common;
  const issuer = wanted.issuer || new URL(context.config.siteUrl).host;
  const uri = totpUri(issuer, user.email ?? '', secret);
  return { ...common, totp: { qr_code: renderSVG(uri, { ecc: 'M' }), secret, uri } };
}
