import { HubError } from './hub-error.js';

/** Files that describe a model, besides its weights. */
const DESCRIPTIONS = [
  'config.json',
  'adapter_config.json',
  'preprocessor_config.json',
  'processor_config.json',
  'tokenizer.json',
  'vocab.txt',
  'tokenizer_config.json',
  'special_tokens_map.json',
];

/** Indices of shards, best format first. */
export const indexFiles: readonly string[] = ['model.safetensors.index.json', 'pytorch_model.bin.index.json'];

/** Best first: within a format, the name that transformers looks for, then shards, then any other. */
const WEIGHTS: readonly { readonly pattern: RegExp; readonly index?: string; readonly one?: true }[] = [
  { pattern: /^model\.safetensors$/ },
  { pattern: /^model-\d{5}-of-\d{5}\.safetensors$/, index: 'model.safetensors.index.json' },
  { pattern: /^(?!.*-\d{5}-of-\d{5}).*\.safetensors$/, one: true },
  { pattern: /^pytorch_model\.bin$/ },
  { pattern: /^pytorch_model-\d{5}-of-\d{5}\.bin$/, index: 'pytorch_model.bin.index.json' },
  { pattern: /^(?!.*-\d{5}-of-\d{5}).*\.(?:pth|pt|bin)$/, one: true },
];

/** The weight files of a folder: of a single format, including the index of shards. Empty if there are none. */
export function weightFiles(names: readonly string[]): readonly string[] {
  return choice(names).files;
}

function choice(names: readonly string[]): { readonly files: readonly string[]; readonly ambiguous: boolean } {
  // Old optimizer and argument files in PyTorch repositories are not weights.
  const candidates = names.filter(
    (name) => !name.includes('/') && !/^(?:optimizer|scheduler|training_args|rng_state)/.test(name),
  );
  for (const { pattern, index, one } of WEIGHTS) {
    const files = candidates.filter((name) => pattern.test(name)).sort();
    // Shards are unusable without their index.
    if (files.length === 0 || (index !== undefined && !names.includes(index))) continue;
    return { files: index === undefined ? files : [index, ...files], ambiguous: one === true && files.length > 1 };
  }
  return { files: [], ambiguous: false };
}

/**
 * Selects the files to download from a repository: its descriptions, and its weights in one format.
 *
 * @param wanted - exactly these files instead.
 * @returns names in the order of fetching, weights last.
 * @throws HubError when there are no weights, when the choice is ambiguous, or when a wanted file is missing.
 */
export function selectFiles(repo: string, names: readonly string[], wanted: readonly string[] = []): readonly string[] {
  const missing = wanted.filter((name) => !names.includes(name));
  if (missing.length > 0)
    throw new HubError({
      code: 'E_HUB_NOT_FOUND',
      where: repo,
      what: `it has no ${missing.join(', ')}`,
      fix: `Its files: ${names.join(', ')}`,
    });
  if (wanted.length > 0) return [...new Set(wanted)];
  const { files, ambiguous } = choice(names);
  if (ambiguous)
    throw new HubError({
      code: 'E_WEIGHTS_AMBIGUOUS',
      where: repo,
      what: `several files may be its weights: ${files.join(', ')}`,
      fix: 'Name the files with --file',
    });
  if (files.length === 0)
    throw new HubError({
      code: 'E_HUB_NOT_FOUND',
      where: repo,
      what: `expected weights (model.safetensors), got ${names.join(', ') || 'no files'}`,
      fix: 'Give a repository that holds a model, or name files with --file',
    });
  return [...DESCRIPTIONS.filter((name) => names.includes(name)), ...files];
}
