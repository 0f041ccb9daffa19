import type { BrowserBackend } from '../../backend/browser.js';
import type { AnswerOf, EngineFacts, Job } from '../../serve/index.js';
import type { Step } from '../page/engine.js';

/** What the page says to the thread that computes. */
export type Order =
  | {
      readonly kind: 'start';
      /** The address of the folder, which a script without an address of its own cannot know. */
      readonly folder: string;
      /** What is tried first; the best there is if undefined. */
      readonly backend: BrowserBackend | undefined;
    }
  | { readonly kind: 'job'; readonly id: number; readonly job: Job }
  | { readonly kind: 'cancel'; readonly id: number };

/** What that thread runs on. */
export interface Ready {
  readonly facts: EngineFacts;
  readonly backend: BrowserBackend;
  readonly device: string | undefined;
  /** Why others do not compute, by their names. */
  readonly passedOver: Readonly<Partial<Record<BrowserBackend, string>>>;
}

/** What it says to the page. Problems are words for a person. */
export type Report =
  | { readonly kind: 'step'; readonly step: Step }
  | { readonly kind: 'ready'; readonly ready: Ready }
  | { readonly kind: 'failed'; readonly problem: string }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: AnswerOf<Job> }
  | { readonly kind: 'problem'; readonly id: number; readonly problem: string };
