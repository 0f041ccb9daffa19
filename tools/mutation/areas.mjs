/**
 * The code to mutate, by area, and the tests that must detect the mutants: only those written for it, so that no mutant is killed
 * by accident, and few, as all of a group's tests are loaded once per mutant.
 *
 * `share`: the part of the mutants that is drawn by default; all of them where it is missing.
 */
export const AREAS = {
  metrics: {
    groups: [
      ...['agreement', 'contour-accuracy', 'percent'].map((name) => mirrored('metrics', name)),
      { mutate: files('metrics', ['ranks', 'roc', 'significance']), tests: ['test/metrics/statistics.test.ts'] },
      {
        mutate: files('metrics', ['grouped-bootstrap', 'mask-scores']),
        tests: ['test/metrics/{definitions,statistics}.test.ts'],
      },
      {
        mutate: files('metrics', ['average-precision', 'constant-guess', 'distance-transform']),
        tests: ['test/metrics/{definitions,edge-cases,golden}.test.ts'],
      },
      {
        mutate: files('metrics', ['mask', 'overlap', 'statistics', 'surface-distance']),
        tests: ['test/metrics/*.test.ts'],
      },
    ],
  },
  detections: { groups: [mirrored('processing', 'detections')] },
  masks: {
    groups: [
      {
        mutate: files('imaging', ['rle', 'contours', 'polygons', 'components', 'mask', 'union-of-masks']),
        tests: ['test/imaging/{rle,contours,mask}.test.ts'],
      },
    ],
  },
  losses: {
    share: 0.45,
    groups: [
      ...['box-losses', 'focal', 'mask-losses', 'matcher'].map((name) => mirrored('losses', name)),
      {
        mutate: files('losses', ['criterion', 'cell-loss', 'cell-targets', 'head-targets']),
        tests: ['test/losses/{criterion,cells}.test.ts'],
      },
    ],
  },
  nn: {
    share: 0.26,
    groups: [
      ...['activation', 'checkpointed-tape', 'through-hidden', 'use-bfloat16'].map((name) => mirrored('nn', name)),
      { mutate: files('nn', ['dropout', 'draws']), tests: ['test/nn/dropout.test.ts', 'test/models/dropout-rates.test.ts'] },
      {
        mutate: files('nn', ['inference-passes', 'training-passes', 'training-pass', 'captured-passes', 'nested-tensors']),
        tests: ['test/nn/{inference,training}-passes.test.ts'],
      },
      {
        mutate: files('nn', [
          'conv-transpose2d',
          'conv2d',
          'depthwise-conv2d',
          'embedding',
          'frozen-batch-norm',
          'group-norm',
          'init',
          'layer-norm',
          'linear',
        ]),
        tests: ['test/nn/layers.test.ts'],
      },
      {
        mutate: files('nn', ['forward-context', 'layer-variable', 'module', 'parameter', 'revision', 'tensor-layer']),
        tests: ['test/nn/{module-tree,module}.test.ts'],
      },
      { mutate: files('nn', ['each-image']), tests: ['test/nn/same-in-any-batch.test.ts'] },
    ],
  },
};

function files(folder, names) {
  return names.map((name) => `src/${folder}/${name}.ts`);
}

function mirrored(folder, name) {
  return { mutate: files(folder, [name]), tests: [`test/${folder}/${name}.test.ts`] };
}
