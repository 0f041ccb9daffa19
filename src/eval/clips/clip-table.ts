import type { Table } from '../tables/table.js';
import type { ClipSummary } from './clip-protocols.js';

/** The table of clips: a method and protocol a row. */
export function clipTable(sets: readonly { readonly name: string; readonly summaries: readonly ClipSummary[] }[]): Table {
  return {
    id: 'clips',
    title: 'Objects followed through clips',
    columns: [
      'clips of',
      'prompt',
      'method',
      'clips',
      'objects',
      'J&F',
      'J',
      'F',
      'DSC',
      'consistency',
      'ground truth',
      'switches',
      'frames/s',
    ],
    rows: sets.flatMap(({ name, summaries }) =>
      summaries.map((own) => ({
        cells: [
          name,
          own.protocol,
          own.method,
          String(own.clips),
          String(own.targets),
          own.jf,
          own.j,
          own.f,
          own.dsc,
          own.consistency,
          own.trueConsistency,
          String(own.identitySwitches),
          own.framesPerSecond,
        ],
      })),
    ),
    notes: [
      'J: IoU, F: contour accuracy of DAVIS, in percent; means over objects of means over frames. A frame without the object counts 100 if nothing is found there, else 0.',
      'text only: a phrase is one object, and all frames count; first box, one click: from the ground truth of an object’s first frame, which does not count.',
      'consistency: IoU of the masks of neighbouring frames; switches: how often an object goes on under another track.',
    ],
  };
}
