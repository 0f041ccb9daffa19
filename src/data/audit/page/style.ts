/** The page's stylesheet. Two colours carry meaning, each paired with a word. */
export const STYLE = `
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --error: #b3261e; --warning: #8a5a00; --good: #1b6e3c; }
@media (prefers-color-scheme: dark) { :root { --error: #ff8a80; --warning: #ffcc66; --good: #7ddba3; } }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 76rem; padding: 1.5rem; }
h1 { font-size: 1.6rem; margin: 0 0 .2rem; } h2 { font-size: 1.25rem; margin: 2.4rem 0 .6rem; border-bottom: 1px solid var(--line); padding-bottom: .3rem; }
h3 { font-size: 1rem; margin: 1.4rem 0 .4rem; }
p.lead { margin: .2rem 0 1rem; } .muted { opacity: .75; }
table { border-collapse: collapse; margin: .5rem 0 1rem; } th, td { padding: .25rem .7rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; } thead th { background: var(--soft); }
.scroll { overflow-x: auto; }
.error { color: var(--error); font-weight: 600; } .warning { color: var(--warning); font-weight: 600; } .good { color: var(--good); font-weight: 600; }
.samples { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: .8rem; } figure { margin: 0; max-width: 20rem; } figcaption { font-size: .8rem; overflow-wrap: anywhere; }
img { display: block; max-width: 100%; height: auto; border-radius: 4px; background: #0002; }
.pair { display: grid; grid-template-columns: repeat(2, minmax(0, 20rem)); gap: .8rem; margin: .3rem 0 1.4rem; }
.bar { display: inline-block; height: .6rem; background: #0072b2; border-radius: 2px; vertical-align: middle; }
nav a { margin-right: 1rem; } code { overflow-wrap: anywhere; } td code { display: inline-block; min-width: 9rem; }
`;
