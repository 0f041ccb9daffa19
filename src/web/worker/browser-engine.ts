import type { BrowserBackend } from '../../backend/browser.js';
import type { CocoRle } from '../../imaging/index.js';
import type { AnswerOf, Job } from '../../serve/index.js';
import { FLOOR, type MaskQuestion, type PageEngine, type SegmentedIn, type Step } from '../page/engine.js';
import { browserClips } from './browser-clips.js';
import type { Order, Ready, Report } from './messages.js';

interface Waiting {
  readonly resolve: (answer: never) => void;
  readonly reject: (reason: Error) => void;
}

/** Engine in a worker of the browser. */
export class BrowserEngine implements PageEngine {
  /** Preferred backend; the best available if undefined. Takes effect at the next start. */
  backend: BrowserBackend | undefined;
  /** Called when the engine is ready. */
  onReady: (ready: Ready) => void = () => {};
  readonly clips = browserClips((job, signal) => this.run(job, signal));
  private worker: Promise<Worker> | undefined;
  private readonly waiting = new Map<number, Waiting>();
  private asked = 0;

  async start(say: (step: Step) => void) {
    this.stop();
    say({ what: 'Loading the program' });
    const { facts, ...rest } = await new Promise<Ready>((resolve, reject) => {
      const listen = (report: Report) => {
        if (report.kind === 'step') say(report.step);
        else if (report.kind === 'ready') resolve(report.ready);
        else if (report.kind === 'failed') reject(new Error(report.problem));
        else this.settle(report);
      };
      this.worker = openWorker(listen, (error) => {
        reject(error);
        this.drop(error);
      });
      this.worker.then((worker) => {
        const folder = new URL('.', document.baseURI).href.replace(/\/$/, '');
        send(worker, { kind: 'start', folder, backend: this.backend });
      }, reject);
    });
    this.onReady({ facts, ...rest });
    return facts;
  }

  private stop(): void {
    void this.worker?.then((worker) => worker.terminate());
    this.drop(new DOMException('another one computes', 'AbortError'));
  }

  private drop(reason: Error): void {
    for (const { reject } of this.waiting.values()) reject(reason);
    this.waiting.clear();
  }

  private settle(report: Extract<Report, { id: number }>): void {
    const waiting = this.waiting.get(report.id);
    this.waiting.delete(report.id);
    if (report.kind === 'answer') waiting?.resolve(report.answer as never);
    else waiting?.reject(new Error(report.problem));
  }

  private async run<J extends Job>(job: J, signal: AbortSignal): Promise<AnswerOf<J>> {
    const { worker } = this;
    if (worker === undefined) throw new Error('The engine was not started');
    const thread = await worker;
    signal.throwIfAborted();
    const id = this.asked++;
    return new Promise<AnswerOf<J>>((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      signal.addEventListener('abort', () => {
        if (!this.waiting.delete(id)) return;
        send(thread, { kind: 'cancel', id });
        reject(new DOMException('something else was asked', 'AbortError'));
      });
      send(thread, { kind: 'job', id, job });
    });
  }

  async openImage(file: File, frame: string | undefined, signal: AbortSignal) {
    const bytes = new Uint8Array(await file.arrayBuffer());
    return this.run({ kind: 'open', image: { bytes, name: file.name, frame } }, signal);
  }

  async loadImage({ id }: { readonly id: string }, signal: AbortSignal) {
    const png = await this.run({ kind: 'preview', id }, signal);
    return createImageBitmap(new Blob([png as Uint8Array<ArrayBuffer>], { type: 'image/png' }));
  }

  async segment(image: { readonly id: string }, prompt: string, signal: AbortSignal) {
    const { segments } = await this.run(
      {
        kind: 'segment',
        image: { id: image.id },
        prompts: [prompt],
        threshold: FLOOR,
        nmsThreshold: 0.5,
        select: 'all',
        maxDetections: 100,
        boxes: [],
        maskFormat: 'rle',
      },
      signal,
    );
    return segments;
  }

  async measure(
    image: { readonly id: string },
    masks: readonly CocoRle[],
    mmPerPixel: readonly [number, number] | undefined,
    signal: AbortSignal,
  ) {
    return this.run({ kind: 'measure', image: { id: image.id }, mmPerPixel, masks }, signal);
  }

  async readSegmentation(file: File, of: SegmentedIn, signal: AbortSignal) {
    const bytes = new Uint8Array(await file.arrayBuffer());
    return this.run({ kind: 'segmentation', bytes, name: file.name, of }, signal);
  }

  async maskFor(image: { readonly id: string }, { bbox, points = [], labels = [] }: MaskQuestion, signal: AbortSignal) {
    const boxXyxyPx = bbox && ([bbox[0], bbox[1], bbox[0] + bbox[2], bbox[1] + bbox[3]] as const);
    const { answers } = await this.run(
      { kind: 'masks', image: { id: image.id }, prompts: [{ boxXyxyPx, points, labels }], multimask: false, maskFormat: 'rle' },
      signal,
    );
    return answers[0]?.masks[0];
  }
}

const SCRIPT = 'engine.js';

/**
 * Created from the script's text, so that the page's content security policy, with requests only to its own server, applies to
 * the worker too.
 */
async function openWorker(listen: (report: Report) => void, failed: (reason: Error) => void): Promise<Worker> {
  const script = await fetch(SCRIPT).catch(() => undefined);
  if (script?.ok !== true) throw new Error(MISSING);
  const url = URL.createObjectURL(new Blob([await script.text()], { type: 'text/javascript' }));
  const worker = new Worker(url);
  worker.onmessage = ({ data }) => {
    URL.revokeObjectURL(url);
    listen(data);
  };
  worker.onerror = ({ message }) => failed(new Error(`${SCRIPT}: ${message || 'it does not run in this browser'}`));
  return worker;
}

const MISSING = `${SCRIPT}: it cannot be loaded. Copy the whole folder, and open it through a web server: python3 -m http.server`;

function send(worker: Worker, order: Order): void {
  worker.postMessage(order);
}
