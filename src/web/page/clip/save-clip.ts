import type { OpenedClipRecord } from '../../../serve/engine/clips/clip-jobs.js';
import type { ClipState } from './clip-state.js';

/** What is known of a clip, in the REST API's format. */
export function clipResults(name: string, { id: _, notices: __, ...clip }: OpenedClipRecord, state: ClipState) {
  return {
    clip: { file_name: name, ...clip },
    objects: state.objects,
    frames: state.frames.map((frame) => ({ frame, tracks: state.at(frame) })),
  };
}

/** The same as a COCO dataset of the clip's frames, with identities as `infer --track` writes them. */
export function clipCoco(name: string, { width, height, frames }: OpenedClipRecord, state: ClipState) {
  const phrases = [...new Set(state.objects.map(({ phrase }) => phrase))];
  const images = state.frames.map((frame, i) => ({
    id: i + 1,
    file_name: `${name}#${frame}`,
    width,
    height,
    video_id: 1,
    frame_id: frame,
  }));
  const annotations = images.flatMap(({ id: image_id, frame_id }) =>
    state.at(frame_id).flatMap(({ track, phrase, score, object_score, bbox, area, mask }) =>
      bbox === null || mask === null
        ? []
        : [
            {
              image_id,
              video_id: 1,
              track_id: track,
              category_id: phrases.indexOf(phrase) + 1,
              bbox,
              area,
              iscrowd: 0,
              segmentation: mask,
              object_score,
              ...(score === null ? {} : { score }),
            },
          ],
    ),
  );
  return {
    videos: [{ id: 1, name, width, height, frames }],
    images,
    categories: phrases.map((phrase, i) => ({ id: i + 1, name: phrase })),
    annotations: annotations.map((annotation, i) => ({ id: i + 1, ...annotation })),
  };
}
