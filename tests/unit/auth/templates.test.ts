import { describe, expect, it } from 'vitest';
import { verificationLink } from '../../../src/auth/mail/link.ts';
import { compileTemplate, renderHtml, renderText } from '../../../src/auth/mail/template/render.ts';

const data = {
  Email: 'a&b@example.com',
  Token: '012345',
  SiteURL: 'https://site.example/?a=1&b=2',
  Evil: '"><script>alert(1)</script>',
  Script: 'javascript:alert(1)',
  Data: {
    name: 'Ann',
    list: ['x', 'y'],
    empty: '',
    nested: { deep: 7 },
    flag: true,
    big: 1795959578,
    small: 0.00001,
  },
};
const html = (source: string): string => renderHtml(compileTemplate(source), data);

describe('a template', () => {
  it.each([
    ['Hi {{ .Data.name }}!', 'Hi Ann!'],
    ['{{.Data.nested.deep}}', '7'],
    ['{{ .Missing }}{{ .Data.none.deeper }}', ''],
    ['a {{- .Token -}} b', 'a012345b'],
    ['{{/* note */}}x', 'x'],
    ['{{ if .Data.flag }}yes{{ else }}no{{ end }}', 'yes'],
    ['{{ if .Data.empty }}yes{{ else if .Data.name }}other{{ else }}no{{ end }}', 'other'],
    ['{{ if and .Data.flag (eq .Data.name "Ann") }}both{{ end }}', 'both'],
    ['{{ if not .Data.empty }}none{{ end }}', 'none'],
    ['{{ if and .Missing .Data.flag }}both{{ else }}not both{{ end }}', 'not both'],
    ['{{ if or .Missing .Data.flag }}one{{ end }}', 'one'],
    ['{{ .Data.nested }} {{ .Data.list }}', 'map[deep:7] [x y]'],
    ['{{ range .Data.list }}[{{ . }}]{{ end }}', '[x][y]'],
    ['{{ range $i, $v := .Data.list }}{{ $i }}{{ $v }}{{ end }}', '0x1y'],
    ['{{ range .Data.none }}x{{ else }}nobody{{ end }}', 'nobody'],
    ['{{ with .Data.nested }}{{ .deep }}{{ $.Token }}{{ end }}', '7012345'],
    ['{{ $name := .Data.name }}{{ $name }}', 'Ann'],
    ['{{ .Data.name | printf "%s-%q" "x" }}', 'x-&#34;Ann&#34;'],
    ['{{ len .Data.list }}{{ index .Data.list 1 }}', '2y'],
    ['{{ "a" }}{{ `b` }}{{ 3 }}', 'ab3'],
    ['{{ .Data.nested.deep }} {{ .Data.big }} {{ .Data.small }}', '7 1.795959578e&#43;09 1e-05'],
    ['{{ print .Missing }} {{ print .Token .Data.none 1 }}', '&lt;nil&gt; 012345&lt;nil&gt; 1'],
    ['{{ println .Missing }}', '&lt;nil&gt;\n'],
    ['{{ printf "%v %s" .Missing .Missing }}', '&lt;nil&gt; %!s(&lt;nil&gt;)'],
    ['{{ printf "%s" }}{{ printf "%s" .Token .Token }}', '%!s(MISSING)012345%!(EXTRA string=012345)'],
    [
      '{{ urlquery .Missing }}{{ urlquery .SiteURL }}',
      '%3Cnil%3Ehttps%3A%2F%2Fsite.example%2F%3Fa%3D1%26b%3D2',
    ],
    ['{{ if eq .Missing "" }}same{{ else if eq .Missing .Data.none }}both missing{{ end }}', 'both missing'],
    ['{{ .Data.constructor }}{{ .Data.__proto__ }}', ''],
  ])('%s reads %s', (source, text) => {
    expect(html(source)).toBe(text);
  });

  it.each([
    '{{ .Email ',
    '{{ if .Email }}',
    '{{ end }}',
    '{{ unknownFunction .Email }}',
    '{{ else }}',
    '{{ "open }}',
  ])('that cannot be read is told: %s', (source) => {
    expect(() => html(source)).toThrow();
  });
});

describe('what a user chose', () => {
  it.each([
    ['in text', '{{ .Evil }}'],
    ['in a value', '<a title="{{ .Evil }}">x</a>'],
    ['in a value without quotes', '<a title={{ .Evil }}>x</a>'],
    ['in a URL', '<a href="{{ .Evil }}">x</a>'],
    ['in a query', '<a href="https://x/?q={{ .Evil }}">x</a>'],
    ['in a script', '<script>var a = {{ .Evil }};</script>'],
  ])('cannot become markup %s', (_, source) => {
    const written = html(source).replace(/^<script>|<\/script>$/g, '');
    expect(written).not.toMatch(/<script|<\/script/);
    expect(written).not.toMatch(/""?>\s*</);
  });

  it('cannot become script in a link', () => {
    expect(html('<a href="{{ .Script }}">x</a>')).not.toContain('javascript:');
    expect(html("<a href='{{ .Script }}'>x</a>")).not.toContain('javascript:');
  });

  it('is not changed in a subject', () => {
    expect(renderText(compileTemplate('For {{ .Email }}'), data)).toBe('For a&b@example.com');
  });

  it('keeps a link a link', () => {
    expect(html('<a href="{{ .SiteURL }}">')).toBe('<a href="https://site.example/?a=1&amp;b=2">');
  });
});

describe('the link of a mail', () => {
  const params = { token: 't', type: 'signup', redirectTo: 'https://a.com/x' };
  it.each([
    ['https://a.com/x', 'https://x/auth/v1/verify?token=t&type=signup&redirect_to=https://a.com/x'],
    [
      'https://a.com/?b=1',
      'https://x/auth/v1/verify?token=t&type=signup&redirect_to=https%3A%2F%2Fa.com%2F%3Fb%3D1',
    ],
  ])('with the redirect %s', (redirectTo, link) => {
    expect(verificationLink('https://x/auth/v1', undefined, { ...params, redirectTo })).toBe(link);
  });

  it('may have another path', () => {
    expect(verificationLink('https://x/auth/v1', '/auth/v1/verify', params)).toBe(
      'https://x/auth/v1/verify?token=t&type=signup&redirect_to=https://a.com/x',
    );
  });
});
