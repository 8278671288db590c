import { createPrivateKey, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { samlCertificate } from '../../../src/auth/sso/certificate.ts';

/** A key that signs nothing but these tests, and what GoTrue made of it for auth.example.com. */
const key = [
  'MIIEowIBAAKCAQEAwA7Ctf9w10MT1lFtv2h7qvG4sRY4JscrORDwznufloA5bT637WfY8xPGR8mb0xRKw44mqN379Kr8+drM',
  '9VgEOiITzRw06fCdBshy+L+ZwulzCLqBOKhL2KXgj1IbIbX7Js+ylDn43MXD+ipLF4bikEe8eIKyfkjTIN5JZzWJ6IZN9Qg9',
  'fNk9OpDBw+2KWjmcoHBb9AzEbt7bJEahrPjuNIZ8ewE6PziBaIpSVj5DjKpWNXvRZHkffLbHk6JYVsTkYMJxdDeTHRuqwT7K',
  'yB4Yy7/yBnkFSszayB1q/iEIr863JyQRjgZMlU+Lkyvq1ryfwdycGMUwl03CfKG/oOOvdQIDAQABAoIBABfLXF0/BgRtZ45E',
  'bWPq9nNh2j96YL+RKm46BpOWZlm3jiXWQORVWuAWwZiQRlF68J5UxL5kLjyMWKY98Omum2t2YFynk3iuWk4GVJQz7MFkud9J',
  'eAwEcc0oE++9vOXKzZBr6BSMMCRuDg824THLgNNeR9/oVWPm8t1eHNsAG5NmpORVNQ3+Tx++hsiZ55XOvY/YN1fXiZWpAO97',
  'KA9Sd8iNKObXd0v8v/nQTcYSBTX97GPF/jwZ8U/0YnWzeOSCnUObBehxFqvX6LiUDTpVblcxsCE963BlQHQY0MGe189pDMyC',
  'dvhbTPXAV8xHZdKikQEiprlOB9h9baB8PYBVvksCgYEA/M0OuRBEDEyb9lyNHbG2ncOudCqzLXdhAkWRm30vy4f9QOSAMpzM',
  'fRl3ezf+IaNoSUYnIrV5JPqgPNnODsdXtm3UAZqeu3f+jXkT38OPct1TMtPsYg9isdW8mr2sdZ9/Demje6/OcpCUkB+Xtwi9',
  'LrfeN6A2d2CjzIlsphkohVsCgYEAwnztMWbhXJBjmjryQZEvitUyjYBVHWqFwgcTwHoFGbAFlbKl2fNK3X6gVwD/gT0jA5CG',
  '1DtQdYmmGKaxefEumfnr+itB4bh8XI+ip9lLXBYeczb2PQlbOE5jHqaXLgVb93I15M5+DotRfAnvSVqOyK7y33+kveUa/RgV',
  'tobTJ28CgYBDNv5QJEwDfScGpOr8VzD313x99JB5aUFIyliBoBJiKkEizN5tFpWkOW40O9n89aaXvOhQ6TFRrLWIGF0aPtRK',
  'c/8nggXsUGZFFUk8eJGed8xUOlaiZ/bU08B24DGHgKXWfCV0kHTyrxBhFZVQHCm4zzhtT9LLgM1sZ6mUrCHC+wKBgB/Kvhc6',
  'QxKXg8CdbCZtrkDakvXwiXlShWTvNTpcd+L4FCGhX10eWRmV7m3qetnMfaHCiVe+Dmv4QU98SDyvwTdoVDvDwHQ+bQ3QaP1Z',
  'FumJsBaTYHMfyWqN3cQP5VyfgaYUZFzvqEmGWp6VHSl3hSmm94qzWeG0xtGik0IQDgo/AoGBAKee/qNXQN+fEbHU//cYaTiu',
  'qoh4yRirg1j0LldFe9WKQi0HJG/SJUz0gT+m8TrQTLGjTUyIDZ7rpGakSncS5uRHcs02k/Q3/rQ3vkyF9siet0kXj2zpzXD0',
  '6IMZ+cg4+6P1j7zKMeEqzet9RT/ezLB+AY9NbWqMWAub/nXRJD/T',
].join('');
const signing = [
  'MIIDHDCCAgSgAwIBAgIBADANBgkqhkiG9w0BAQsFADA0MTIwMAYDVQQDEylTQU1MIDIuMCBDZXJ0aWZpY2F0ZSBmb3IgYXV0',
  'aC5leGFtcGxlLmNvbTAgFw03MDAxMDEwMDAwMDBaGA8yMTcwMDEwMTAwMDAwMFowNDEyMDAGA1UEAxMpU0FNTCAyLjAgQ2Vy',
  'dGlmaWNhdGUgZm9yIGF1dGguZXhhbXBsZS5jb20wggEiMA0GCSqGSIb3DQEBAQUAA4IBDwAwggEKAoIBAQDADsK1/3DXQxPW',
  'UW2/aHuq8bixFjgmxys5EPDOe5+WgDltPrftZ9jzE8ZHyZvTFErDjiao3fv0qvz52sz1WAQ6IhPNHDTp8J0GyHL4v5nC6XMI',
  'uoE4qEvYpeCPUhshtfsmz7KUOfjcxcP6KksXhuKQR7x4grJ+SNMg3klnNYnohk31CD182T06kMHD7YpaOZygcFv0DMRu3tsk',
  'RqGs+O40hnx7ATo/OIFoilJWPkOMqlY1e9FkeR98tseTolhWxORgwnF0N5MdG6rBPsrIHhjLv/IGeQVKzNrIHWr+IQivzrcn',
  'JBGOBkyVT4uTK+rWvJ/B3JwYxTCXTcJ8ob+g4691AgMBAAGjNzA1MA4GA1UdDwEB/wQEAwIHgDAjBgNVHREEHDAaghhfc2Ft',
  'bHNwLmF1dGguZXhhbXBsZS5jb20wDQYJKoZIhvcNAQELBQADggEBAKZXrePqYDW+k1H3yjED2BYqlKo3zxhIJzgqlzEkTwzg',
  'Gm0lL2iw2HokbxmPpqwsIc4vn39W+N4tObnpLe0ybiUAPmLvaKDFsWDqa4nylXdkP8lae9GoKmxjLyGBOEvw4FLXjXts8MX2',
  '6ibDUBycCgpJWksRm4yb9W2TZDpfYvPxSc89eI6KcFOHxpRIqk4HUaR2vrKb07ay4wJDkotJhAV1AAmfmIrW67VgkaIzBXNg',
  'vy0tql+mpFfWh2FQaW39YbdEBSHJeAb8tDo7rwmTTW2/m7Fg0QgQsdlAsO0+6OR8OkKg0lKVrse2hNEFtSVAJ2OpsEjyNQHz',
  'EkFOQgmIGWw=',
].join('');
const encrypting = [
  'MIIDHDCCAgSgAwIBAgIBADANBgkqhkiG9w0BAQsFADA0MTIwMAYDVQQDEylTQU1MIDIuMCBDZXJ0aWZpY2F0ZSBmb3IgYXV0',
  'aC5leGFtcGxlLmNvbTAgFw03MDAxMDEwMDAwMDBaGA8yMTcwMDEwMTAwMDAwMFowNDEyMDAGA1UEAxMpU0FNTCAyLjAgQ2Vy',
  'dGlmaWNhdGUgZm9yIGF1dGguZXhhbXBsZS5jb20wggEiMA0GCSqGSIb3DQEBAQUAA4IBDwAwggEKAoIBAQDADsK1/3DXQxPW',
  'UW2/aHuq8bixFjgmxys5EPDOe5+WgDltPrftZ9jzE8ZHyZvTFErDjiao3fv0qvz52sz1WAQ6IhPNHDTp8J0GyHL4v5nC6XMI',
  'uoE4qEvYpeCPUhshtfsmz7KUOfjcxcP6KksXhuKQR7x4grJ+SNMg3klnNYnohk31CD182T06kMHD7YpaOZygcFv0DMRu3tsk',
  'RqGs+O40hnx7ATo/OIFoilJWPkOMqlY1e9FkeR98tseTolhWxORgwnF0N5MdG6rBPsrIHhjLv/IGeQVKzNrIHWr+IQivzrcn',
  'JBGOBkyVT4uTK+rWvJ/B3JwYxTCXTcJ8ob+g4691AgMBAAGjNzA1MA4GA1UdDwEB/wQEAwIEkDAjBgNVHREEHDAaghhfc2Ft',
  'bHNwLmF1dGguZXhhbXBsZS5jb20wDQYJKoZIhvcNAQELBQADggEBAGH+HJ+bdjThhWS85XJbQigBVZdjIWt7+2p+pcVjVqa2',
  'dSLnP1E7t5e4WCR9whTdQVCPM2iUvkuoZ1XDP3jnv2aTGvjjKrRYZ6b6YH38NzfKiLNKYJZs02mM1SyncUvQe+zHY29Ovob4',
  'nh85v5E+LH/XfGjXV6AvsFrF/NwaUG7zKoBws6JdQ3cQ/Ml0CFMB0QJ1dLlxj9RBUjvDkmCJYWTGxwxg4A/80tMtcfSizArV',
  '5eXYni8xs2buhuTZ0DI7JoNGU8W/iEbOOc18ws9Bog/2Qg7DiF7JN9x3AZQZe8HrbhbWasn8lzn6OQe2zn+UTW/SBz2/Q4qX',
  'ShwFNk91tBo=',
].join('');

const privateKey = createPrivateKey({ key: Buffer.from(key, 'base64'), format: 'der', type: 'pkcs1' });

describe('the certificate of the service provider', () => {
  it('is what upstream makes of the same key, so that identity providers need not be set up again', () => {
    expect(samlCertificate(privateKey, 'auth.example.com', false).toString('base64')).toBe(signing);
  });

  it('is it with encryption, too', () => {
    expect(samlCertificate(privateKey, 'auth.example.com', true).toString('base64')).toBe(encrypting);
  });

  it('is a certificate for hosts of every kind', () => {
    const long = `${'a'.repeat(60)}.${'b'.repeat(60)}.example.com`;
    for (const host of ['127.0.0.1', 'under_score.example.com', long]) {
      const certificate = new X509Certificate(samlCertificate(privateKey, host, false));
      expect(certificate.subject).toBe(`CN=SAML 2.0 Certificate for ${host}`);
      expect(certificate.verify(certificate.publicKey)).toBe(true);
      expect(certificate.validTo).toBe('Jan  1 00:00:00 2170 GMT');
    }
  });
});
