export const STYLE = `
:root{color-scheme:light dark}
body{font:15px/1.45 system-ui,sans-serif;max-width:1340px;margin:1.5rem auto;padding:0 1rem}
h2{font:600 14px/1.3 ui-monospace,monospace;overflow-wrap:anywhere}
section{border:1px solid #8886;border-radius:8px;padding:.2rem 1rem .6rem;margin:1rem 0}
section.doubt{border-color:#c60;border-width:2px}
.warning{border-left:4px solid #c60;padding-left:.7rem}
.pair{display:flex;flex-wrap:wrap;gap:1rem}
figure{margin:0}
img{max-width:100%;height:auto;background:#000}
label{margin-right:1.5rem}
`;

/** Collects the choices into a file that the browser saves. */
export const SCRIPT = `
const chosen = () => [...document.querySelectorAll('input:checked')].map((input) => ({ output: input.name, verdict: input.value }));
const sections = document.querySelectorAll('section').length;
const count = () => { document.getElementById('count').textContent = chosen().length + ' of ' + sections + ' looked at'; };
document.addEventListener('change', count);
document.getElementById('save').addEventListener('click', () => {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([JSON.stringify({ confirmed: chosen() }, null, 2) + '\\n'], { type: 'application/json' }));
  link.download = 'confirmed.json';
  link.click();
});
count();
`;
