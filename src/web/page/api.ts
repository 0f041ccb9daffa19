import type { MeasuresFields } from '../../measure/record.js';
import type { OpenedImage, SentMaskAnswer, SentSegment } from '../../serve/engine/jobs.js';
import { FLOOR, type PageEngine } from './engine.js';

const TOKEN = 'sonoground-token';

/** An error response with a readable message. */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Moves the token from the URL fragment, where the server's own link has it, to the session storage. */
export function takeToken(): void {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (token === null) return;
  rememberToken(token);
  history.replaceState(null, '', location.pathname);
}

/** Keeps the token for the lifetime of this tab. */
export function rememberToken(token: string): void {
  sessionStorage.setItem(TOKEN, token);
}

/** Engine on the server, accessed through its REST API. */
export const serverEngine: PageEngine = {
  async start() {
    return (await ask('v1/health')).json();
  },

  async openImage(file, frame, signal) {
    const form = new FormData();
    if (frame !== undefined) form.set('frame', frame);
    form.set('image', file);
    const { image } = (await (await ask('v1/images', { method: 'POST', body: form, signal })).json()) as { image: OpenedImage };
    return image;
  },

  async loadImage({ id }, signal) {
    return createImageBitmap(await (await ask(`v1/images/${id}`, { signal })).blob());
  },

  async segment({ id }, prompt, signal) {
    const body = { image_id: id, prompt, threshold: FLOOR };
    return ((await post('v1/segment', body, signal)) as { segments: SentSegment[] }).segments;
  },

  async maskFor({ id }, question, signal) {
    const body = { image_id: id, prompts: [question] };
    const { answers } = (await post('v1/masks', body, signal)) as { answers: SentMaskAnswer[] };
    return answers[0]?.masks[0];
  },

  async measure({ id }, masks, mmPerPixel, signal) {
    const body = { image_id: id, masks, ...(mmPerPixel && { mm_per_pixel: mmPerPixel }) };
    return ((await post('v1/measures', body, signal)) as { measures: MeasuresFields[] }).measures;
  },

  async segmentAlike({ id }, exemplars, signal) {
    const body = { image_id: id, exemplars: exemplars.map(({ opened, mask }) => ({ image_id: opened.id, mask })) };
    return ((await post('v1/exemplars', body, signal)) as { segments: SentSegment[] }).segments;
  },
};

async function post(path: string, body: object, signal: AbortSignal): Promise<unknown> {
  const headers = { 'content-type': 'application/json' };
  return (await ask(path, { method: 'POST', headers, body: JSON.stringify(body), signal })).json();
}

async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const token = sessionStorage.getItem(TOKEN);
  const headers = {
    ...(init.headers as Record<string, string>),
    ...(token === null ? {} : { authorization: `Bearer ${token}` }),
  };
  const response = await fetch(path, { ...init, headers }).catch((error: unknown) => {
    if ((error as Error).name === 'AbortError') throw error;
    throw new ApiError(0, 'The server does not answer');
  });
  if (response.ok) return response;
  const { where, what, fix } = await response.json().catch(() => ({ where: 'server', what: `answers ${response.status}` }));
  throw new ApiError(response.status, `${where}: ${what}${fix === undefined ? '' : `. ${fix}`}`);
}
