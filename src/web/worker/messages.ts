import type { BrowserBackend } from '../../backend/browser.js';
import type { AnswerOf, EngineFacts, Job } from '../../serve/index.js';
import type { Step } from '../page/engine.js';

/** Messages from the page to the worker. */
export type Order =
  | {
      readonly kind: 'start';
      /** URL of the folder, which a worker without a URL of its own cannot derive. */
      readonly folder: string;
      /** Preferred backend; the best available if undefined. */
      readonly backend: BrowserBackend | undefined;
    }
  | { readonly kind: 'job'; readonly id: number; readonly job: Job }
  | { readonly kind: 'cancel'; readonly id: number };

/** Backend and models of the worker. */
export interface Ready {
  readonly facts: EngineFacts;
  readonly backend: BrowserBackend;
  readonly device: string | undefined;
  /** Why other backends were skipped, by name. */
  readonly passedOver: Readonly<Partial<Record<BrowserBackend, string>>>;
}

/** Messages from the worker to the page. Problems are readable sentences. */
export type Report =
  | { readonly kind: 'step'; readonly step: Step }
  | { readonly kind: 'ready'; readonly ready: Ready }
  | { readonly kind: 'failed'; readonly problem: string }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: AnswerOf<Job> }
  | { readonly kind: 'problem'; readonly id: number; readonly problem: string };
