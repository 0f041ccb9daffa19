import { z } from 'zod';
import { CheckpointError, shownName } from '../util/index.js';
import { belowSavedTest, layerTest, moduleTest, type OwnValue, ownValues, type PathTest } from './peft-names.js';

/** More than any adapter has; what is larger is not computed with. */
const MAX_RANK = 65_536;
const MAX_ALPHA = 1e6;

/** Most entries of a list or table: the largest models have some thousand layers. */
const MAX_ENTRIES = 10_000;

const rank = z.int().positive().max(MAX_RANK);
const alpha = z.number().positive().max(MAX_ALPHA);
const names = z.array(z.string().max(1000)).max(MAX_ENTRIES);
const table = <T extends z.ZodType<number>>(value: T) =>
  z.record(z.string(), value).refine((own) => Object.keys(own).length <= MAX_ENTRIES, `more than ${MAX_ENTRIES} entries`);
const absent = z.union([z.literal(false), z.array(z.unknown()).max(0), z.object({}).strict()]).nullish();

/** What is read of PEFT's `adapter_config.json`; what it adds without effect on the arithmetic is let pass. */
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
  // Forms of LoRA that compute something else.
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

/** What a configuration says of the layers of a model, by their paths. */
export interface AdapterConfig {
  readonly dropout: number;
  readonly rankOf: (path: string) => number;
  /** Such that the update is scaled by alpha / rank also where PEFT divides by the root of the rank. */
  readonly alphaOf: (path: string, rank: number) => number;
  /** Whether a linear layer has an adapter; undefined where the configuration does not say. */
  readonly targets: PathTest | undefined;
  /** Whether a module is trained whole, by its path below PEFT's own modules. */
  readonly savesWhole: PathTest;
}

/** @throws CheckpointError listing every field that this project cannot follow. */
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
  /** The reading of a field, or what is wrong with it. */
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

/** The layers that are named; numbers of layers count for endings alone, not for a pattern or a whole path. */
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

/** As PEFT looks for `modules_to_save`: by the ends of paths, even within a step. */
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
