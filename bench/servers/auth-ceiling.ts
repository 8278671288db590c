import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import pg from 'pg';

/*
 * The ceiling of auth: GET /user and refreshes by heart. It reads the rows that the service reads and writes those that
 * it writes, in one read, and one write where something changes, on named statements; it decides nothing.
 * Environment: PORT, DATABASE_URL, JWT_SECRET, POOL.
 */
const secret = process.env.JWT_SECRET ?? '';
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: Number(process.env.POOL ?? 10) });

const user = `u.*,
  coalesce((select json_agg(i) from auth.identities i where i.user_id = u.id), '[]') as identities,
  coalesce((select json_agg(f) from auth.mfa_factors f where f.user_id = u.id), '[]') as factors`;

const session = `(select to_json(x) from (select s.*, (
    select json_agg(a) from auth.mfa_amr_claims a where a.session_id = s.id) as amr) x) as session`;

const principal = {
  name: 'principal',
  text: `select to_json(p) as json, ${session}
    from (select ${user} from auth.users u where u.id = $1) p
    left join auth.sessions s on s.user_id = p.id and s.id = $2`,
};

const refreshState = {
  name: 'refresh-state',
  text: `select to_json(p) as json, ${session}, t.id as token_id, t.session_id, (
      select to_json(l) from auth.refresh_tokens l
      where l.session_id = t.session_id and not l.revoked order by l.id desc limit 1) as live
    from auth.refresh_tokens t
    join auth.users u on u.id = t.user_id::uuid
    left join auth.sessions s on s.id = t.session_id
    cross join lateral (select ${user}) p where t.token = $1 and not t.revoked`,
};

const swap = {
  name: 'swap',
  text: `with spent as (
      update auth.refresh_tokens set revoked = true, updated_at = now() where id = $1 and not revoked returning *
    ), child as (
      insert into auth.refresh_tokens (instance_id, token, user_id, revoked, created_at, updated_at, parent, session_id)
      select instance_id, $2, user_id, false, now(), now(), token, session_id from spent
    ), logged as (
      insert into auth.audit_log_entries (instance_id, id, payload, created_at, ip_address)
      values (null, $4, '{}', now(), ''), (null, $5, '{}', now(), '')
    ), moved as (
      update auth.users set updated_at = now() where id = $6
    )
    update auth.sessions set refreshed_at = now(), updated_at = now() where id = $3`,
};

const sign = (head: string): string => createHmac('sha256', secret).update(head).digest('base64url');
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function claimsOf(authorization: string): { readonly sub: string; readonly session_id: string } | null {
  const [header = '', payload = '', signature = ''] = authorization.slice('Bearer '.length).split('.');
  if (sign(`${header}.${payload}`) !== signature) return null;
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
  return claims.exp > Date.now() / 1000 ? claims : null;
}

async function bodyOf(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

async function getUser(message: IncomingMessage): Promise<unknown> {
  const claims = claimsOf(message.headers.authorization ?? '');
  if (claims === null) return null;
  const { rows } = await pool.query({ ...principal, values: [claims.sub, claims.session_id] });
  return rows[0]?.json;
}

async function refresh(message: IncomingMessage): Promise<unknown> {
  const { refresh_token } = JSON.parse(await bodyOf(message)) as { refresh_token: string };
  const { rows } = await pool.query({ ...refreshState, values: [refresh_token] });
  const [state] = rows;
  if (state === undefined) return null;
  const child = randomBytes(8).toString('hex').slice(0, 12);
  await pool.query({
    ...swap,
    values: [state.token_id, child, state.session_id, randomUUID(), randomUUID(), state.json.id],
  });
  const exp = Math.floor(Date.now() / 1000) + 3600;
  const head = `${part({ alg: 'HS256' })}.${part({ sub: state.json.id, session_id: state.session_id, exp })}`;
  return { access_token: `${head}.${sign(head)}`, refresh_token: child, expires_in: 3600, user: state.json };
}

const server = createServer(async (message, response) => {
  const answer = await (message.method === 'GET' ? getUser(message) : refresh(message));
  const text = JSON.stringify(answer);
  response.writeHead(answer === null ? 400 : 200, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
});

server.listen(Number(process.env.PORT), '127.0.0.1', () => process.stdout.write('ready\n'));
process.once('SIGTERM', () => process.exit(0));
