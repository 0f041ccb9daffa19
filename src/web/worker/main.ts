import type { BrowserBackend } from '../../backend/browser.js';
import { element } from '../page/element.js';
import { restartPage, startPage } from '../page/page.js';
import { BrowserEngine } from './browser-engine.js';
import type { Ready } from './messages.js';

/** Entry point of the static page, with the engine in the browser. */
const NAMES: Readonly<Record<BrowserBackend, string>> = { webgpu: 'WebGPU', webgl: 'WebGL', wasm: 'WebAssembly' };

const choice = element<HTMLSelectElement>('backend');

element('formats').textContent = 'PNG, JPEG, WebP, GIF, BMP, DICOM';
element('privacy').textContent = 'Images stay in this browser: everything is computed here, and nothing is sent.';

const engine = new BrowserEngine();
const address = new URL(location.href);
const asked = address.searchParams.get('backend');
if (asked !== null && asked in NAMES) engine.backend = asked as BrowserBackend;

engine.onReady = ({ backend, device, passedOver }: Ready) => {
  choice.replaceChildren(
    ...Object.entries(NAMES).map(([value, text]) => {
      const option = new Option(text, value, value === backend, value === backend);
      option.title = passedOver[value as BrowserBackend] ?? '';
      return option;
    }),
  );
  choice.disabled = false;
  element('choice').hidden = false;
  element('choice').title = device ?? '';
  const reasons = Object.entries(passedOver).map(([name, reason]) => `${NAMES[name as BrowserBackend]}: ${reason}`);
  element('notice').textContent = reasons.length === 0 ? '' : `${NAMES[backend]} computes. ${reasons.join('. ')}.`;
};

choice.addEventListener('change', () => {
  engine.backend = choice.value as BrowserBackend;
  choice.disabled = true;
  address.searchParams.set('backend', choice.value);
  history.replaceState(null, '', address);
  void restartPage();
});

startPage(engine);
