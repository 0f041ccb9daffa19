import { element } from './element.js';
import type { Step } from './engine.js';
import type { Opening } from './open-files.js';
import { offerPoints } from './panel.js';

/** Starts the engine, and shows its models and what they can do. */
export function getReady({ engine, tasks, image, clip }: Opening): Promise<void> {
  return tasks.run('', async () => {
    try {
      const { detector, adapter, masker, backend, points, exemplars } = await engine().start(showStep);
      const names = [detector, adapter, masker].filter((name) => name !== null);
      clip.maskerName = masker?.split('/').pop() ?? '';
      // If engines are selectable, the selector shows the backend.
      const on = element('choice').hidden ? ` on ${backend}` : '';
      element('models').textContent = `${names.map((name) => name.split('/').pop()).join(' + ')}${on}`;
      image.exemplars.show();
      image.exemplars.offer(exemplars !== null);
      offerPoints(points);
    } finally {
      element('getting-ready').hidden = true;
    }
    return '';
  });
}

/** Separate from the status message, which the user's actions keep changing. */
function showStep({ what, done }: Step): void {
  element('getting-ready').hidden = false;
  element('step').textContent = what;
  const bar = element<HTMLProgressElement>('progress');
  if (done === undefined) bar.removeAttribute('value');
  else bar.value = done;
}
