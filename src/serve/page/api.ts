import type { OpenedImage, SentMaskAnswer, SentSegment } from '../engine/jobs.js';

/** What the server says of itself. */
export interface Health {
  readonly backend: string;
  readonly detector: string;
  readonly masker: string | null;
  readonly adapter: string | null;
  readonly points: boolean;
}

/** Asked of the masker. */
export interface MaskQuestion {
  readonly bbox?: readonly [number, number, number, number];
  readonly points?: readonly (readonly [number, number])[];
  readonly labels?: readonly (0 | 1)[];
}

const TOKEN = 'sonoground-token';

/** The lowest score that is asked for: everything above can be shown and hidden without another request. */
export const FLOOR = 0.05;

/** An answer that is an error, in words for a person. */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Takes the token out of the address, where the server's own link has it. */
export function takeToken(): void {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (token === null) return;
  rememberToken(token);
  history.replaceState(null, '', location.pathname);
}

/** For as long as this tab is open. */
export function rememberToken(token: string): void {
  sessionStorage.setItem(TOKEN, token);
}

export async function health(): Promise<Health> {
  return (await ask('v1/health')).json();
}

/** Sends a file; the picture that is read of it is remembered by the server. */
export async function openImage(file: File, picture: string | undefined, signal: AbortSignal): Promise<OpenedImage> {
  const form = new FormData();
  if (picture !== undefined) form.set('picture', picture);
  form.set('image', file);
  const { image } = (await (await ask('v1/images', { method: 'POST', body: form, signal })).json()) as { image: OpenedImage };
  return image;
}

export async function pictureOf({ id }: OpenedImage, signal: AbortSignal): Promise<ImageBitmap> {
  return createImageBitmap(await (await ask(`v1/images/${id}`, { signal })).blob());
}

export async function segment({ id }: OpenedImage, prompt: string, signal: AbortSignal): Promise<readonly SentSegment[]> {
  const body = { image_id: id, prompt, threshold: FLOOR };
  return ((await post('v1/segment', body, signal)) as { segments: SentSegment[] }).segments;
}

export async function maskFor({ id }: OpenedImage, question: MaskQuestion, signal: AbortSignal) {
  const body = { image_id: id, prompts: [question] };
  const { answers } = (await post('v1/masks', body, signal)) as { answers: SentMaskAnswer[] };
  return answers[0]?.masks[0];
}

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
