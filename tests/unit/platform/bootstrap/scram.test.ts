import { expect, test } from 'vitest';
import { scramVerifier } from '../../../../src/platform/bootstrap/scram.ts';

// Computed by PostgreSQL 17 for this password, which it normalizes first.
test('a verifier is what the server would have stored', () => {
  const stored =
    'SCRAM-SHA-256$4096:5QtKxA68XhD7cEWCS2j5WA==$V0xqkFUw9ojhcGbMr3sW8ArhuI1HeuS0TZc+gDANp00=:1rJjL0mjWVGQ/f/AVEZcsMAw1QinVWaSFz3y5GCTzvA=';
  const salt = stored.split(':')[1]?.split('$')[0] ?? '';
  expect(scramVerifier('pässword ﬁ', Buffer.from(salt, 'base64'))).toBe(stored);
});
