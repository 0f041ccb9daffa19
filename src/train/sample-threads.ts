import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import type { SampleMaker } from '../data/index.js';
import { unpackError } from '../util/index.js';
import type { DataRecipe } from './data-recipe.js';
import type { SampleAnswer } from './sample-worker.js';

/** Worker threads that decode and augment samples ahead of the training step. */
export class SampleThreads {
  private readonly pool: Piscina;
  private readonly underWay = new Set<Promise<SampleAnswer>>();

  /**
   * Starts the threads.
   *
   * @returns undefined if no threads are wanted, or if this package was not built (threads only run built code).
   */
  static start(recipe: DataRecipe | undefined, threads: number): SampleThreads | undefined {
    const file = workerFile();
    return recipe === undefined || threads === 0 || !existsSync(file) ? undefined : new SampleThreads(recipe, threads, file);
  }

  private constructor(recipe: DataRecipe, threads: number, filename: string) {
    this.pool = new Piscina({
      filename,
      workerData: recipe,
      minThreads: threads,
      maxThreads: threads,
      concurrentTasksPerWorker: 2, // one sample can be read while another is augmented
      execArgv: [],
    });
  }

  readonly source: SampleMaker = async (request) => {
    const run: Promise<SampleAnswer> = this.pool.run(request);
    this.underWay.add(run);
    const answer = await run.finally(() => this.underWay.delete(run));
    if ('error' in answer) throw unpackError(answer.error);
    return answer.sample;
  };

  /** Waits for pending tasks: a pool that is destroyed earlier treats late answers as errors. */
  async dispose(): Promise<void> {
    await Promise.allSettled(this.underWay);
    await this.pool.destroy();
  }
}

/**
 * One thread per two cores, at most four: the training step itself uses all cores.
 *
 * @param processes - number of processes that share the cores. Default: 1.
 */
export function defaultThreads(processes = 1): number {
  return Math.min(4, Math.max(1, Math.floor(availableParallelism() / 2 / processes)));
}

/** The built entry point of a thread, even when this module runs from source. */
function workerFile(): string {
  return fileURLToPath(new URL('./sample-worker.js', import.meta.url.replace(/\/src\/train\/[^/]*$/, '/dist/train/')));
}
