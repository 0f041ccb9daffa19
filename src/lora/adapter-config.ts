import { z } from 'zod';
import { CheckpointError, shownName } from '../util/index.js';
import { belowSavedTest, layerTest, moduleTest, type OwnValue, ownValues, type PathTest } from './peft-names.js';

/** Above any real adapter's rank; larger values are rejected. */
const MAX_RANK = 65_536;
const MAX_ALPHA = 1e6;

/** Maximum length of a list or table: the largest models have a few thousand layers. */
const MAX_ENTRIES = 10_000;

const rank = z.int().positive().max(MAX_RANK);
const alpha = z.number().positive().max(MAX_ALPHA);
const names = z.array(z.string().max(1000)).max(MAX_ENTRIES);
const table = <T extends z.ZodType<number>>(value: T) =>
  z.record(z.string(), value).refine((own) => Object.keys(own).length <= MAX_ENTRIES, `more than ${MAX_ENTRIES} entries`);
const absent = z.union([z.literal(false), z.array(z.unknown()).max(0), z.object({}).strict()]).nullish();

/** The fields used from PEFT's `adapter_config.json`; unknown fields without effect on the arithmetic are ignored. */
const schema = z.object({
  peft_type: z.literal('LORA'),
  r: rank,
  lora_alpha: alpha,
  lora_dropout: z.number().min(0).max(1).nullish(),
  target_modules: z.union([names, z.string()]).nullish(),
  exclude_modules: z.union([names, z.string()]).nullish(),
  layers_to_transform: z.union([z.int(), z.array(z.int()).max(10_000)]).nullish(),
  layers_pattern: z.union([z.array(z.string()).max(100), z.string()]).nullish(),
  modules_to_save: names.nullish(),
  rank_pattern: table(rank).nullish(),
  alpha_pattern: table(alpha).nullish(),
  use_rslora: z.boolean().nullish(),
  // LoRA variants with different arithmetic.
  use_dora: z.literal(false).nullish(),
  use_qalora: z.literal(false).nullish(),
  bias: z.literal('none').nullish(),
  lora_bias: z.literal(false).nullish(),
  fan_in_fan_out: z.literal(false).nullish(),
  use_bdlora: absent,
  alora_invocation_tokens: absent,
  layer_replication: absent,
  target_parameters: absent,
  trainable_token_indices: absent,
  kasa_config: absent,
  monteclora_config: absent,
});

/** Settings of a model's layers, by path. */
export interface AdapterConfig {
  readonly dropout: number;
  readonly rankOf: (path: string) => number;
  /** Defined so that the update is scaled by alpha / rank even where PEFT divides by the square root of the rank. */
  readonly alphaOf: (path: string, rank: number) => number;
  /** Whether a linear layer has an adapter; undefined if the configuration does not list its targets. */
  readonly targets: PathTest | undefined;
  /** Whether a module is trained in full, by its path below PEFT's own modules. */
  readonly savesWhole: PathTest;
}

/** @throws CheckpointError listing every unsupported field. */
export function parseAdapterConfig(json: unknown, file: string): AdapterConfig {
  const result = schema.safeParse(json);
  if (!result.success) {
    const problems = result.error.issues.map(
      ({ path, message }) => `${shownName(path.join('.')) || 'file'}: ${message.replace(/^Invalid input: /, '')}`,
    );
    throw unreadable(file, problems);
  }
  const config = result.data;
  const problems: string[] = [];
  /** Parses a field, or records the problem with it. */
  const read = <T>(field: keyof typeof config, make: () => T): T | undefined => {
    try {
      return make();
    } catch (cause) {
      if (!(cause instanceof SyntaxError)) throw cause;
      problems.push(`${field}: not a regular expression that is understood here (${cause.message})`);
      return undefined;
    }
  };
  const ranks = read('rank_pattern', () => ownValues(config.rank_pattern ?? {}));
  const alphas = read('alpha_pattern', () => ownValues(config.alpha_pattern ?? {}));
  const target = read('target_modules', () => targetTest(config.target_modules));
  const excluded = read('exclude_modules', () => moduleTest(config.exclude_modules ?? []));
  const below = read('modules_to_save', () => belowSavedTest(config.modules_to_save ?? []));
  const layer = read('layers_pattern', () => transformTest(config));
  if (ranks === undefined || alphas === undefined || excluded === undefined || below === undefined || problems.length > 0)
    throw unreadable(file, problems);
  const outside = (path: string) => excluded(path) || below(path);
  return {
    dropout: config.lora_dropout ?? 0,
    rankOf: (path) => ranks(path) ?? config.r,
    alphaOf: scaleReader(config, alphas),
    targets: target && ((path) => !outside(path) && target(path, layer)),
    savesWhole: endsOf(config.modules_to_save ?? []),
  };
}

type Parsed = z.infer<typeof schema>;

function scaleReader({ lora_alpha, use_rslora }: Parsed, alphas: OwnValue): AdapterConfig['alphaOf'] {
  return (path, rank) => {
    const own = alphas(path) ?? lora_alpha;
    return use_rslora ? own * Math.sqrt(rank) : own;
  };
}

/** Matches the target layers; layer indices only apply to path suffixes, not to a pattern or a full path. */
function targetTest(modules: Parsed['target_modules']): ((path: string, layer: PathTest | undefined) => boolean) | undefined {
  if (modules === null || modules === undefined) return undefined;
  if (typeof modules === 'string') {
    if (modules.toLowerCase() === 'all-linear') return () => true;
    return moduleTest(modules);
  }
  const whole = new Set(modules);
  const ending = moduleTest(modules);
  return (path, layer) => whole.has(path) || (ending(path) && (layer === undefined || layer(path)));
}

function transformTest({ layers_to_transform: layers, layers_pattern: patterns }: Parsed): PathTest | undefined {
  if (layers === null || layers === undefined || (Array.isArray(layers) && layers.length === 0)) return undefined;
  return layerTest(
    [layers].flat(),
    [patterns ?? []].flat().filter((pattern) => pattern !== ''),
  );
}

/** Matches like PEFT's `modules_to_save`: by path suffix, even within a component. */
function endsOf(modules: readonly string[]): PathTest {
  return (path) => modules.some((name) => name !== '' && path.endsWith(name));
}

function unreadable(file: string, problems: readonly string[]): CheckpointError {
  return new CheckpointError({
    code: 'E_ADAPTER_FORMAT',
    where: file,
    what: problems.join('; '),
    fix: 'Only plain LoRA adapters of PEFT can be read',
  });
}
