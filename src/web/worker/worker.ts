import { tf } from '../../backend/browser.js';
import type { AnswerOf, Job, LocalEngine } from '../../serve/index.js';
import type { Order, Report } from './messages.js';
import { wordsForPage } from './server-hints.js';
import { startEngine } from './start-engine.js';

/** The engine's worker, which runs one job at a time while the page stays responsive. */
interface Scope {
  postMessage(report: Report): void;
  onmessage: ((event: { readonly data: Order }) => void) | null;
  /** For inspection in the browser's console: `tf.memory()`. */
  tf: typeof tf;
}

const scope = globalThis as unknown as Scope;
scope.tf = tf;

let engine: Promise<LocalEngine> | undefined;
let last: Promise<unknown> = Promise.resolve();
const cancelled = new Set<number>();

scope.onmessage = ({ data: order }) => {
  if (order.kind === 'start') {
    engine = start(order);
    engine.catch(() => {}); // already reported
  }
  if (order.kind === 'cancel') cancelled.add(order.id);
  if (order.kind === 'job') last = last.then(() => answer(order.id, order.job));
};

async function start({ folder, backend }: Extract<Order, { kind: 'start' }>): Promise<LocalEngine> {
  try {
    const started = await startEngine(folder, backend, (step) => scope.postMessage({ kind: 'step', step }));
    scope.postMessage({ kind: 'ready', ready: started.ready });
    return started.engine;
  } catch (error) {
    scope.postMessage({ kind: 'failed', problem: wordsForPage(error) });
    throw error;
  }
}

async function answer(id: number, job: Job): Promise<void> {
  try {
    const by = await engine;
    if (by === undefined || cancelled.delete(id)) return;
    scope.postMessage({ kind: 'answer', id, answer: (await by.run(job)) as AnswerOf<Job> });
  } catch (error) {
    scope.postMessage({ kind: 'problem', id, problem: wordsForPage(error) });
  } finally {
    cancelled.delete(id);
  }
}
