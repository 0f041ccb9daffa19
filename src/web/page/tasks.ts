import { element } from './element.js';
import { ApiError, rememberToken } from './requests.js';

/** The tasks of the page, one at a time, and the line that reports them. */
export class Tasks {
  private working = new AbortController();

  /** Shows a message. */
  say(text: string, bad = false): void {
    const message = element('message');
    message.textContent = text;
    message.classList.toggle('bad', bad);
  }

  /**
   * Runs a task that is aborted by the next one, and reports its errors.
   *
   * @param busy - the message while it runs; `body` returns the one after it.
   */
  async run(busy: string, body: (signal: AbortSignal) => Promise<string>): Promise<void> {
    this.working.abort();
    const own = new AbortController();
    this.working = own;
    this.say(busy);
    document.body.ariaBusy = 'true';
    try {
      const said = await body(own.signal);
      if (this.working === own) this.say(said);
    } catch (error) {
      if (own.signal.aborted) return;
      if (error instanceof ApiError && error.status === 401) return this.login(() => this.run(busy, body));
      this.say(error instanceof Error ? error.message : String(error), true);
    } finally {
      if (this.working === own) document.body.ariaBusy = 'false';
    }
  }

  /** Aborts the task. */
  stop(): void {
    this.working.abort();
  }

  private login(again: () => Promise<void>): void {
    this.say('This server requires a token', true);
    const dialog = element<HTMLDialogElement>('login');
    dialog.showModal();
    dialog.onclose = () => {
      rememberToken(element<HTMLInputElement>('token').value);
      void again();
    };
  }
}
