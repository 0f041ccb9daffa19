import { consoleLogger } from './console-logger.js';

/** How a command is asked to end, and the exit code that a shell expects then: 128 and the signal's number. */
const SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

type Signal = keyof typeof SIGNALS;

export interface Stop {
  /** Aborts at the first signal. */
  readonly signal: AbortSignal;
  exitCode(): number;
  /** Leaves signals to whoever had them before. */
  dispose(): void;
}

/**
 * On the first SIGINT, SIGTERM or SIGHUP (the terminal was closed) asks for an end in good order; on the second the process ends
 * at once.
 *
 * @param meanwhile - what is done first, for the message.
 */
export function stopOnSignals(meanwhile: string): Stop {
  let code = 0;
  const controller = new AbortController();
  const onSignal = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) process.exit(SIGNALS[name as Signal]);
    code = SIGNALS[name as Signal];
    controller.abort();
    consoleLogger.info(`${name}: ${meanwhile}; a second signal exits at once`);
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

/** Where the terminal is gone, whatever is printed fails: that must not end the process before its work is kept. */
function goOn(): void {}
