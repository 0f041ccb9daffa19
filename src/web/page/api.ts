import type { MeasuresFields } from '../../measure/record.js';
import type { OpenedImage, ReadSegment, SentMaskAnswer, SentSegment } from '../../serve/engine/jobs.js';
import { serverClips } from './clip/clip-api.js';
import { FLOOR, type PageEngine } from './engine.js';
import { ask, post } from './requests.js';

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

  async readSegmentation(file, of, signal) {
    const form = new FormData();
    if ('image' in of) form.set('image_id', of.image);
    else form.set('clip_id', of.clip);
    form.set('segmentation', file);
    const answer = await ask('v1/segmentations', { method: 'POST', body: form, signal });
    return ((await answer.json()) as { segments: ReadSegment[] }).segments;
  },

  async segmentAlike({ id }, exemplars, signal) {
    const body = { image_id: id, exemplars: exemplars.map(({ opened, mask }) => ({ image_id: opened.id, mask })) };
    return ((await post('v1/exemplars', body, signal)) as { segments: SentSegment[] }).segments;
  },

  clips: serverClips,
};
