/** What keys do on a clip. */
export interface KeyActions {
  play(): void;
  step(by: number): void;
  seek(where: 'start' | 'end'): void;
  undo(): void;
  remove(): void;
  deselect(): void;
}

/** Frames of a long step. */
const LONG_STEP = 10;

/** Listens to the keys that the page documents, except where they mean something else: in text, sliders, lists and dialogs. */
export function listenToKeys(active: () => boolean, actions: KeyActions): void {
  document.addEventListener('keydown', (event) => {
    if (!active() || event.altKey || isTaken(event)) return;
    const action = actionOf(event, actions);
    if (action === undefined) return;
    event.preventDefault();
    action();
  });
}

function isTaken({ target, key }: KeyboardEvent): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.closest('input, select, textarea, dialog') !== null) return true;
  // On a button, the space bar presses it.
  return key === ' ' && target.closest('button, summary') !== null;
}

function actionOf({ key, shiftKey, ctrlKey, metaKey }: KeyboardEvent, actions: KeyActions): (() => void) | undefined {
  if (ctrlKey || metaKey) return key === 'z' ? actions.undo : undefined;
  const by = shiftKey ? LONG_STEP : 1;
  const known: Readonly<Record<string, () => void>> = {
    ' ': actions.play,
    ArrowLeft: () => actions.step(-by),
    ArrowRight: () => actions.step(by),
    Home: () => actions.seek('start'),
    End: () => actions.seek('end'),
    z: actions.undo,
    Delete: actions.remove,
    Backspace: actions.remove,
    Escape: actions.deselect,
  };
  return known[key];
}
