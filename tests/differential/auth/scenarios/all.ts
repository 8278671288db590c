import { administration } from './admin.ts';
import { factors } from './factors.ts';
import { federation } from './federation.ts';
import { grants } from './grants.ts';
import { hooks } from './hooks.ts';
import { identities } from './identities.ts';
import { journeys } from './journeys.ts';
import { limits } from './limits.ts';
import { mails } from './mails.ts';
import { malformed } from './malformed.ts';
import { oauthServer } from './oauth-server.ts';
import type { Scenario } from './scenario.ts';
import { signUps } from './sign-up.ts';
import { singleSignOn } from './single-sign-on.ts';
import { tokens } from './tokens.ts';
import { tokensFromElsewhere } from './tokens-from-elsewhere.ts';
import { userChanges } from './user.ts';
import { verifications } from './verify.ts';

export type { Scenario };

/** Every scenario, in the order of replay. */
export const scenarios: readonly Scenario[] = [
  ...journeys,
  ...malformed,
  ...tokens,
  ...signUps,
  ...grants,
  ...verifications,
  ...userChanges,
  ...mails,
  ...administration,
  ...factors,
  ...identities,
  ...federation,
  ...singleSignOn,
  ...tokensFromElsewhere,
  ...oauthServer,
  ...hooks,
  ...limits,
];
