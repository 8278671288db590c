/** The secret of the Supabase CLI's public development keys. Upstream: supabase/cli pkg/config. */
export const localDemoSecret = 'super-secret-jwt-token-with-at-least-32-characters-long';

/** The secret in upstream's example environment for Docker. */
export const dockerDemoSecret = 'your-super-secret-jwt-token-with-at-least-32-characters-long';
