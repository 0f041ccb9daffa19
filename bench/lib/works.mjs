/**
 * What is measured. Each work is one question to one kind of process on both sides; `before` is asked once. With `whole` the
 * work is a part of that question on our side, and its share of it is told; the reference knows only whole passes.
 */
export const WORKS = {
  detector: { title: 'detector, tiny', process: 'detector', question: () => 'run' },
  prompt: {
    title: 'one more prompt on the same image',
    process: 'detector',
    before: 'look',
    whole: 'run',
    question: ({ prompts }) => (prompts === undefined ? 'prompt' : `prompts ${prompts}`),
  },
  encoder: { title: 'masker encoder, hiera-tiny, 1024', process: 'masker', question: () => 'encode' },
  decoder: { title: 'decoder, hiera-tiny', process: 'masker', before: 'encode', question: ({ boxes }) => String(boxes) },
  'train-step': { title: 'LoRA step, tiny', process: 'train-step', question: () => 'step' },
};

/** The reference's script of each process, and its arguments before the folder. */
export const SCRIPTS = {
  detector: ({ side, threads }, folder) => ['detector.py', ['tiny', String(side), String(threads), folder]],
  masker: ({ threads }, folder) => ['decoder.py', [String(threads), folder]],
  'train-step': ({ side, batch, threads }, folder) => [
    'train_step.py',
    [String(side), String(batch), '32', String(threads), folder],
  ],
};

/** The sizes of each work that `--scaling` goes through. */
export const SCALING = {
  detector: [...[400, 800, 1200, 1600].map((side) => ({ side })), ...[2, 4, 8].map((batch) => ({ batch }))],
  prompt: [1, 2, 8, 32].map((prompts) => ({ prompts })),
  decoder: [1, 4, 16, 100].map((boxes) => ({ boxes })),
  'train-step': [1, 2, 4, 8].map((batch) => ({ batch, side: 400 })),
};
