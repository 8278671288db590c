/** The report's style: system fonts, colours that follow the reader's scheme, and rules for paper. */
export const styles = `
:root {
  --paper: #fbfaf8; --card: #fff; --ink: #1d1c1a; --soft: #6b6862; --line: #e4e1db;
  --good: #1f8a5b; --bad: #c2362b; --skip: #b9b4aa; --good-soft: #e5f4ec; --bad-soft: #fbe9e7;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #151514; --card: #1d1d1b; --ink: #ecebe7; --soft: #9c988f; --line: #33322f;
    --good: #4cc38a; --bad: #f2766a; --skip: #57544d; --good-soft: #16281f; --bad-soft: #331c1a;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.55 ui-sans-serif, system-ui, sans-serif; }
main { max-width: 66rem; margin: 0 auto; padding: 3rem 1.5rem 5rem; }
h1 { margin: 0; font-size: 1.9rem; font-weight: 650; letter-spacing: -0.02em; overflow-wrap: anywhere; }
h2 { margin: 3.2rem 0 0.9rem; font-size: 1.15rem; font-weight: 650; }
h3 { margin: 0; font-size: 1rem; font-weight: 600; }
p { margin: 0.4rem 0; }
code, pre { font: 12.5px/1.5 ui-monospace, 'SF Mono', Menlo, Consolas, monospace; }
pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.kicker { margin: 0 0 0.3rem; color: var(--soft); font-size: 0.85rem; letter-spacing: 0.04em; text-transform: uppercase; }
.score { display: flex; align-items: baseline; gap: 0.8rem; margin-top: 1.4rem; }
.score strong { font-size: 3.4rem; line-height: 1; font-weight: 680; letter-spacing: -0.04em; white-space: nowrap; font-variant-numeric: tabular-nums; }
.score.good strong { color: var(--good); } .score.bad strong { color: var(--bad); }
.score span { color: var(--soft); }
.verdict { margin: 0.8rem 0 1rem; font-size: 1.05rem; }
.bar { display: flex; height: 10px; overflow: hidden; border-radius: 5px; background: var(--line); }
.bar i.passed { background: var(--good); } .bar i.failed { background: var(--bad); } .bar i.skipped { background: var(--skip); }
.legend { display: flex; gap: 1.4rem; color: var(--soft); font-size: 0.9rem; }
.legend span::before { content: ''; display: inline-block; width: 9px; height: 9px; margin-right: 0.45rem; border-radius: 2px; }
.legend .passed::before { background: var(--good); } .legend .failed::before { background: var(--bad); } .legend .skipped::before { background: var(--skip); }
table { width: 100%; border-collapse: collapse; }
th, td { padding: 0.42rem 0.7rem 0.42rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
thead th { color: var(--soft); font-size: 0.8rem; font-weight: 500; }
tbody th { font-weight: 500; white-space: nowrap; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.service { color: var(--soft); }
.share { font-weight: 600; }
.squares { width: 48%; line-height: 0; padding-top: 0.62rem; }
.squares a { display: inline-block; width: 11px; height: 11px; margin: 0 3px 3px 0; border-radius: 2.5px; }
.squares .passed { background: var(--good); } .squares .failed { background: var(--bad); } .squares .skipped { background: var(--skip); }
.failure { margin: 0 0 1rem; padding: 1.1rem 1.3rem 1.2rem; background: var(--card); border: 1px solid var(--line); border-left: 4px solid var(--bad); border-radius: 8px; break-inside: avoid; }
.facts { display: flex; flex-wrap: wrap; gap: 0.3rem 1rem; color: var(--soft); font-size: 0.88rem; }
.step { margin-top: 0.8rem; overflow-wrap: anywhere; }
.diff { table-layout: fixed; } .diff th:first-child { width: 22%; overflow-wrap: anywhere; white-space: normal; }
.diff .expected pre { padding: 0.35rem 0.55rem; border-radius: 5px; background: var(--good-soft); }
.diff .actual pre { padding: 0.35rem 0.55rem; border-radius: 5px; background: var(--bad-soft); }
.diff td, .diff tbody th { border-bottom: 0; }
details { margin-top: 0.6rem; } summary { color: var(--soft); cursor: pointer; font-size: 0.9rem; }
details pre { margin-top: 0.6rem; padding: 0.8rem; background: var(--paper); border-radius: 6px; }
.cases td { font-size: 0.92rem; } .cases small { display: block; color: var(--soft); }
.cases code { color: var(--soft); overflow-wrap: anywhere; }
.mark { width: 1.4rem; } .mark::before { font-weight: 700; }
.passed .mark::before { content: '✓'; color: var(--good); }
.failed .mark::before { content: '✗'; color: var(--bad); }
.skipped .mark::before { content: '–'; color: var(--skip); }
.cases .group th { padding-top: 1.3rem; font-weight: 600; } .cases .group span { color: var(--soft); font-weight: 400; }
.cases tr:target { background: var(--good-soft); }
.environment th { width: 9rem; color: var(--soft); }
@media (max-width: 44rem) {
  main { padding: 2rem 1rem 3rem; } .score { flex-wrap: wrap; }
  .service, .matrix thead th:nth-child(-n + 1), .squares, .matrix thead th:nth-child(3) { display: none; }
  .diff, .diff tbody, .diff tr, .diff td, .diff th { display: block; width: auto; } .diff thead { display: none; }
  .cases td:nth-child(3), .cases thead th:nth-child(3) { display: none; }
}
@page { margin: 16mm 14mm; }
@media print {
  :root { --paper: #fff; --card: #fff; --ink: #000; --soft: #555; --line: #ccc; --good: #17724a; --bad: #b3261e; --skip: #aaa; --good-soft: #eef7f2; --bad-soft: #fdf0ee; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  html { font-size: 11px; } main { max-width: none; padding: 0; } body { font-size: 1rem; } code, pre { font-size: 0.85rem; } tr { break-inside: avoid; } thead { display: table-header-group; }
  details, summary { display: none; } h2, h3 { break-after: avoid; }
}
`;
