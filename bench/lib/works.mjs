/**
 * The works that are measured. Each is one question to one kind of process on both sides; `before` is asked once. With `whole` the
 * work is a part of that question on our side, and its share of it is printed; the other sides know only whole passes, and the
 * peers are compared by those.
 */
export const WORKS = {
  detector: { title: 'detector, tiny', process: 'detector', question: () => 'run' },
  prompt: {
    title: 'another prompt on the same image',
    process: 'detector',
    before: 'look',
    whole: 'run',
    question: ({ prompts }) => (prompts === undefined ? 'prompt' : `prompts ${prompts}`),
  },
  encoder: { title: 'masker encoder, hiera-tiny, 1024', process: 'masker', question: () => 'encode' },
  decoder: { title: 'decoder, hiera-tiny', process: 'masker', before: 'encode', question: ({ boxes }) => String(boxes) },
  'train-step': { title: 'LoRA step, tiny', process: 'train-step', question: () => 'step' },
};

/** The methods of the comparison, measured by `--methods`: one image each, against the code of their authors. */
export const METHODS = Object.fromEntries(
  [
    ['universeg', 'UniverSeg, 16 exemplars, 128'],
    ['biomedparse', 'BiomedParse, one phrase, 1024'],
    ['samus', 'SAMUS, one point, 256'],
    ['medsam', 'MedSAM, one box, 1024'],
    ['medclip-samv2', 'M2IB of MedCLIP-SAMv2, without SAM'],
    ['medclip-sam', 'gScoreCAM of MedCLIP-SAM, without SAM'],
  ].map(([name, title]) => [name, { title, process: name, question: () => 'run' }]),
);

/** The work of a name. */
export const workOf = (name) => [WORKS, METHODS].find((works) => Object.hasOwn(works, name))?.[name];

/** The reference's script of each kind of process, and its arguments. */
export const SCRIPTS = {
  detector: ({ model = 'tiny', side, threads }, folder) => ['detector.py', [model, String(side), String(threads), folder]],
  masker: ({ model = 'tiny', threads }, folder) => ['decoder.py', [model, String(threads), folder]],
  ...Object.fromEntries(
    Object.keys(METHODS).map((name) => [name, ({ threads }, folder) => ['method.py', [name, String(threads), folder]]]),
  ),
  'train-step': ({ model = 'tiny', side, batch, threads }, folder) => [
    'train_step.py',
    [model, String(side), String(batch), '32', String(threads), folder],
  ],
};

/** The sizes of each work that `--scaling` measures. */
export const SCALING = {
  detector: [...[400, 800, 1200, 1600].map((side) => ({ side })), ...[2, 4, 8].map((batch) => ({ batch }))],
  prompt: [1, 2, 8, 32].map((prompts) => ({ prompts })),
  decoder: [1, 4, 16, 100].map((boxes) => ({ boxes })),
  'train-step': [1, 2, 4, 8].map((batch) => ({ batch, side: 400 })),
};
