/**
 * The code to mutate, by area, and the tests that must detect the mutants: only those written for it, so that no mutant is killed
 * by accident, and few, as they run once per mutant.
 */
export const AREAS = {
  metrics: {
    mutate: ['src/metrics/*.ts'],
    tests: ['test/metrics/*.test.ts'],
  },
  detections: {
    mutate: ['src/processing/detections.ts'],
    tests: ['test/processing/detections.test.ts'],
  },
  masks: {
    mutate: ['src/imaging/{rle,contours,polygons,components,mask,union-of-masks}.ts'],
    tests: ['test/imaging/{rle,contours,mask}.test.ts'],
  },
  losses: {
    mutate: ['src/losses/*.ts'],
    tests: ['test/losses/*.test.ts'],
    sample: 200,
  },
  nn: {
    mutate: ['src/nn/*.ts'],
    tests: ['test/nn/*.test.ts', 'test/models/dropout-rates.test.ts'],
    sample: 200,
  },
};
