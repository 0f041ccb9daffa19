import type { OpenedImage, SentSegment } from '../../serve/engine/jobs.js';
import { element } from './element.js';
import type { PageEngine } from './engine.js';
import { Exemplars, type OpenFile } from './exemplars.js';
import type { Rle } from './layers.js';
import type { Tasks } from './tasks.js';

/** What the panel of exemplars needs of the page around it. */
export interface ExemplarHooks {
  readonly engine: () => PageEngine;
  readonly tasks: Tasks;
  /** The open image. */
  readonly image: () => OpenFile | undefined;
  /** The mask of the selected layer. */
  readonly mask: () => Rle | null;
  /** Sends the open image again, which the engine no longer keeps. */
  readonly reopen: (signal: AbortSignal) => Promise<OpenedImage>;
  /** Shows the segments that are found. */
  readonly find: (ask: (image: OpenedImage, signal: AbortSignal) => Promise<readonly SentSegment[]>) => Promise<void>;
}

/** The part of the panel for exemplars: collects them, and finds what looks like them. */
export class ExemplarPanel {
  private readonly hooks: ExemplarHooks;
  private readonly exemplars: Exemplars;

  constructor(hooks: ExemplarHooks) {
    this.hooks = hooks;
    this.exemplars = new Exemplars(element('exemplars'), () => this.refresh());
    const picker = element<HTMLInputElement>('exemplar-files');
    element('find-alike').addEventListener('click', () => this.find());
    element('add-exemplar').addEventListener('click', () => this.addMask());
    element('add-files').addEventListener('click', () => picker.click());
    picker.addEventListener('change', () => {
      const files = [...(picker.files ?? [])];
      picker.value = '';
      void hooks.tasks.run('Reading the exemplars', (signal) => this.exemplars.addFiles(files, hooks.engine(), signal));
    });
  }

  /** Shows the panel, unless the engine cannot segment by exemplars: that of the static page cannot. */
  show(): void {
    element('alike').hidden = this.hooks.engine().segmentAlike === undefined;
  }

  hide(): void {
    element('alike').hidden = true;
  }

  /** Shows the controls where there is a model, or what is missing: a server may lack the weights. */
  offer(hasModel: boolean): void {
    element('alike-missing').hidden = hasModel;
    for (const id of ['alike-help', 'add-exemplar', 'add-files', 'find-alike']) element(id).hidden = !hasModel;
  }

  /** Enables the buttons that are of use now. */
  refresh(): void {
    const { image, mask } = this.hooks;
    element<HTMLButtonElement>('add-exemplar').disabled = !this.exemplars.hasRoom || mask() === null;
    element<HTMLButtonElement>('find-alike').disabled = image() === undefined || this.exemplars.count === 0;
  }

  private addMask(): void {
    const [image, mask] = [this.hooks.image(), this.hooks.mask()];
    if (image !== undefined && mask !== null) this.hooks.tasks.say(this.exemplars.addMask(image, mask));
  }

  private find(): void {
    const { engine, reopen } = this.hooks;
    void this.hooks.find((image, signal) => this.exemplars.find(engine(), image, () => reopen(signal), signal));
  }
}
