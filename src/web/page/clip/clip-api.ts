import type { ClipChange, OpenedClipRecord, SentFrame } from '../../../serve/engine/clips/clip-jobs.js';
import { ApiError, ask, post } from '../requests.js';
import type { ClipEngine, PropagationPart } from './clip-engine.js';

/** A line of the answer to a propagation. */
type Line =
  | { readonly frames: number; readonly undo: number }
  | SentFrame
  | { readonly done: true }
  | { readonly error: { readonly status: number; readonly where: string; readonly what: string; readonly fix?: string } };

/** Clips on the server, through its REST API. */
export const serverClips: ClipEngine = {
  async open(file, signal) {
    const form = new FormData();
    form.set('image', file);
    const answer = await ask('v1/clips', { method: 'POST', body: form, signal });
    return ((await answer.json()) as { clip: OpenedClipRecord }).clip;
  },

  async frame({ id }, index, signal) {
    return createImageBitmap(await (await ask(`v1/clips/${id}/frames/${index}`, { signal })).blob());
  },

  async find({ id }, question, signal) {
    return (await post(`v1/clips/${id}/find`, question, signal)) as ClipChange;
  },

  async mark({ id }, mark, signal) {
    return (await post(`v1/clips/${id}/marks`, mark, signal)) as ClipChange;
  },

  async remove({ id }, track, signal) {
    return (await ask(`v1/clips/${id}/tracks/${track}`, { method: 'DELETE', signal })).json();
  },

  async undo({ id }, signal) {
    return (await ask(`v1/clips/${id}/undo`, { method: 'POST', signal })).json();
  },

  async *propagate({ id }, from, direction, signal) {
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ from, direction });
    const answer = await ask(`v1/clips/${id}/propagate`, { method: 'POST', headers, body, signal });
    if (answer.body === null) throw new ApiError(0, 'The server does not answer');
    let done = false;
    for await (const line of linesOf(answer.body)) {
      const part = partOf(JSON.parse(line) as Line);
      if (part === undefined) done = true;
      else yield part;
    }
    // The server went away in the middle.
    if (!done) throw new ApiError(0, 'The server does not answer any more');
  },

  close({ id }) {
    // Also while the page is being left.
    ask(`v1/clips/${id}`, { method: 'DELETE', keepalive: true }).catch(() => {});
  },
};

function partOf(line: Line): PropagationPart | undefined {
  if ('error' in line) {
    const { status, where, what, fix } = line.error;
    throw new ApiError(status, `${where}: ${what}${fix === undefined ? '' : `. ${fix}`}`);
  }
  if ('done' in line) return undefined;
  return 'frame' in line ? { kind: 'frame', frame: line } : { kind: 'begun', frames: line.frames, undo: line.undo };
}

async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const lines = (rest + value).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
