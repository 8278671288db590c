const style = `
:root { color-scheme: light dark; --page: #f5f6f8; --card: #fff; --line: #e2e5ea; --text: #1b1f24; --soft: #667080;
  --accent: #1a7f5a; --hover: #eef3f1; --shadow: 0 1px 2px rgb(0 0 0 / 5%); }
@media (prefers-color-scheme: dark) {
  :root { --page: #121417; --card: #1a1d21; --line: #2b3037; --text: #e6e9ed; --soft: #98a1ad; --accent: #4cc38a;
    --hover: #20262a; --shadow: none; }
}
* { box-sizing: border-box; }
html, body { height: 100%; margin: 0; }
body { display: grid; grid-template-rows: auto 1fr; background: var(--page); color: var(--text);
  font: 15px/1.45 system-ui, -apple-system, 'Segoe UI', sans-serif; }
header { display: flex; gap: 12px; align-items: center; padding: 12px 20px; background: var(--card);
  border-bottom: 1px solid var(--line); }
header h1 { margin: 0; font-size: 16px; font-weight: 650; }
header .count { color: var(--soft); font-size: 13px; }
header input { flex: 1; max-width: 420px; margin-left: auto; padding: 7px 12px; border: 1px solid var(--line);
  border-radius: 8px; background: var(--page); color: inherit; font: inherit; }
button { padding: 7px 12px; border: 1px solid var(--line); border-radius: 8px; background: var(--card); color: inherit;
  font: inherit; cursor: pointer; }
button:hover { background: var(--hover); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
main { display: grid; grid-template-columns: minmax(280px, 380px) 1fr; min-height: 0; }
#list { overflow-y: auto; margin: 0; padding: 8px; list-style: none; border-right: 1px solid var(--line); }
#list button { display: block; width: 100%; margin: 0 0 4px; padding: 10px 12px; border-color: transparent;
  background: none; text-align: left; }
#list button:hover { background: var(--hover); }
#list button[aria-current='true'] { background: var(--card); border-color: var(--line); box-shadow: var(--shadow); }
#list .top { display: flex; gap: 8px; justify-content: space-between; color: var(--soft); font-size: 13px; }
#list .to { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
#list .subject { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
#list .unread .subject { font-weight: 650; }
#list .unread .subject::before { content: ''; display: inline-block; width: 8px; height: 8px; margin: 0 7px 1px 0;
  border-radius: 50%; background: var(--accent); }
#mail { display: grid; grid-template-rows: auto auto 1fr; min-width: 0; min-height: 0; }
#mail .head { padding: 16px 24px 0; }
#mail h2 { margin: 0 0 6px; font-size: 19px; overflow-wrap: anywhere; }
#mail dl { display: grid; grid-template-columns: auto 1fr; gap: 2px 12px; margin: 0; color: var(--soft); font-size: 13px; }
#mail dd { margin: 0; overflow-wrap: anywhere; }
nav { display: flex; gap: 4px; padding: 12px 24px; }
nav button[aria-pressed='true'] { border-color: var(--accent); color: var(--accent); }
iframe { width: 100%; height: 100%; border: 0; border-top: 1px solid var(--line); background: #fff; }
pre { margin: 0; padding: 16px 24px; overflow: auto; border-top: 1px solid var(--line); background: var(--card);
  font: 13px/1.5 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
.empty { display: grid; place-content: center; padding: 32px; color: var(--soft); text-align: center; }
@media (max-width: 720px) {
  main { grid-template-columns: 1fr; grid-template-rows: minmax(120px, 35%) 1fr; }
  #list { border-right: 0; border-bottom: 1px solid var(--line); }
}
`;

const script = `
const list = document.getElementById('list'), pane = document.getElementById('mail');
const count = document.getElementById('count'), search = document.getElementById('search');
const mailbox = /^\\/m\\/([^/]+)/.exec(location.pathname)?.[1];
if (mailbox) search.value = 'to:' + decodeURIComponent(mailbox);
let current = null, view = 'HTML';
const element = (tag, text, className) => {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
};
const people = (all) => (all ?? []).map(({ Name, Address }) => (Name ? Name + ' <' + Address + '>' : Address)).join(', ');
const when = (iso) => {
  const date = new Date(iso), today = new Date().toDateString() === date.toDateString();
  return date.toLocaleString([], today ? { timeStyle: 'short' } : { dateStyle: 'short', timeStyle: 'short' });
};
async function refresh() {
  const query = search.value.trim();
  const path = query ? '/api/v1/search?limit=200&query=' + encodeURIComponent(query) : '/api/v1/messages?limit=200';
  const found = await (await fetch(path)).json();
  count.textContent = found.total === 1 ? '1 mail' : found.total + ' mails';
  list.replaceChildren(...found.messages.map(row));
  if (found.messages.length === 0) {
    list.append(element('li', query ? 'No mail matches.' : 'No mail yet. What the app sends shows up here.', 'empty'));
  }
}
function row(mail) {
  const item = element('li'), button = element('button', undefined, mail.Read ? '' : 'unread');
  button.setAttribute('aria-current', String(mail.ID === current));
  const top = element('div', undefined, 'top');
  top.append(element('span', people(mail.To), 'to'), element('time', when(mail.Created)));
  button.append(top, element('div', mail.Subject || '(no subject)', 'subject'));
  button.onclick = () => open(mail.ID);
  item.append(button);
  return item;
}
async function open(id) {
  const reply = await fetch('/api/v1/message/' + id);
  if (!reply.ok) return;
  current = id;
  show(await reply.json());
  refresh();
}
function show(mail) {
  const head = element('div', undefined, 'head'), facts = element('dl'), tabs = element('nav');
  for (const [name, value] of [['From', people([mail.From])], ['To', people(mail.To)], ['Date', new Date(mail.Date).toLocaleString()]]) {
    facts.append(element('dt', name), element('dd', value));
  }
  head.append(element('h2', mail.Subject || '(no subject)'), facts);
  for (const name of ['HTML', 'Text', 'Source']) {
    const tab = element('button', name);
    tab.setAttribute('aria-pressed', String(name === view));
    tab.onclick = () => { view = name; show(mail); };
    tabs.append(tab);
  }
  pane.replaceChildren(head, tabs, body(mail));
}
function body(mail) {
  if (view === 'HTML' && mail.HTML) {
    const frame = element('iframe');
    frame.title = 'Mail';
    frame.setAttribute('sandbox', 'allow-popups allow-popups-to-escape-sandbox');
    frame.srcdoc = '<base target="_blank">' + mail.HTML;
    return frame;
  }
  const text = element('pre', view === 'Source' ? 'Loading' : mail.Text);
  if (view === 'Source') fetch('/api/v1/message/' + mail.ID + '/raw').then(async (raw) => { text.textContent = await raw.text(); });
  return text;
}
document.getElementById('clear').onclick = async () => {
  await fetch('/api/v1/messages', { method: 'DELETE', body: '{}' });
  current = null;
  pane.replaceChildren(element('p', 'Nothing selected.', 'empty'));
  refresh();
};
search.oninput = refresh;
new EventSource('/api/events').onmessage = refresh;
refresh();
`;

/** The page of the inbox: one document without anything from elsewhere. */
export const inboxPage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Inbox</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<header>
<h1>Inbox</h1><span id="count" class="count" aria-live="polite"></span>
<input id="search" type="search" placeholder="Search: words, to:ann@example.com, subject:welcome" aria-label="Search">
<button id="clear" type="button">Delete all</button>
</header>
<main>
<ul id="list" aria-label="Mails"></ul>
<section id="mail" aria-label="Mail"><p class="empty">Nothing selected.</p></section>
</main>
<script>${script}</script>
</body>
</html>
`;
