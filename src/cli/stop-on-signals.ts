import { consoleLogger } from './console-logger.js';

/** Termination signals, with the exit code that a shell expects: 128 and the signal's number. */
const SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

type Signal = keyof typeof SIGNALS;

export interface Stop {
  /** Aborted at the first signal. */
  readonly signal: AbortSignal;
  /** 128 and the number of the last signal, for work that was left undone; 0 before there was one. */
  exitCode(): number;
  /** Restores the previous signal handlers. */
  dispose(): void;
}

/**
 * Requests an orderly shutdown on the first SIGINT, SIGTERM or SIGHUP (closed terminal); the second ends the process at once, with
 * {@link Stop.exitCode} of that signal.
 *
 * @param meanwhile - the work to finish first, for the message.
 * @param atOnce - ends what would outlive this process, at the second signal; a third does not wait for it.
 */
export function stopOnSignals(meanwhile: string, atOnce?: () => Promise<void>): Stop {
  let code = 0;
  let ending = false;
  const controller = new AbortController();
  const onSignal = (name: NodeJS.Signals) => {
    const asked = controller.signal.aborted;
    code = SIGNALS[name as Signal];
    if (!asked) {
      controller.abort();
      consoleLogger.info(`${name}: ${meanwhile}; a second signal exits at once`);
    } else if (ending || atOnce === undefined) process.exit(code);
    else {
      ending = true;
      void atOnce().finally(() => process.exit(code));
    }
  };
  const names = Object.keys(SIGNALS) as Signal[];
  const streams = [process.stdout, process.stderr];
  for (const name of names) process.on(name, onSignal);
  for (const stream of streams) stream.on('error', goOn);
  return {
    signal: controller.signal,
    exitCode: () => code,
    dispose: () => {
      for (const name of names) process.off(name, onSignal);
      for (const stream of streams) stream.off('error', goOn);
    },
  };
}

/** With the terminal gone, all output fails; that must not end the process before its work is saved. */
function goOn(): void {}
