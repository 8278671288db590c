const variables = [
  'SiteURL',
  'ConfirmationURL',
  'Email',
  'NewEmail',
  'OldEmail',
  'SendingTo',
  'Token',
  'TokenHash',
  'RedirectTo',
  'Phone',
  'OldPhone',
  'Provider',
  'FactorType',
] as const;

/** The mail body of a kind: every variable, in every context that escapes differently, and the control structures. */
export function mailTemplate(kind: string): string {
  const plain = variables.map((name) => `<li>${name}={{ .${name} }}</li>`).join('\n');
  return `<h1>${kind}</h1>
{{/* a comment */}}
<ul>
${plain}
</ul>
<a href="{{ .ConfirmationURL }}">follow</a>
<a href="{{ .SiteURL }}/confirm?token_hash={{ .TokenHash }}&type=x&next={{ .RedirectTo }}&email={{ .Email }}">by hash</a>
<p title="{{ .Email }}">{{ if .Data }}{{ .Data.name }}{{ else }}nobody{{ end }}</p>
{{- with .Data }}<p>{{ .city }}</p>{{ end -}}
{{ range $key, $value := .Data }}<i data-k="{{ $key }}">{{ $value }}</i>{{ end }}
{{ if eq .Email "one@example.com" }}first{{ else if and .Token (not .Missing) }}second{{ else }}third{{ end }}
{{ printf "%s-%s" .Email .SiteURL }} {{ urlquery .RedirectTo }}
`;
}
