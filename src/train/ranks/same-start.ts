import { ConfigError, DataError, RuntimeError } from '../../util/index.js';
import { type DataRecord, differences, digestOf, flatSettings, type Settings } from '../run-folder/index.js';
import { nameOf, type Ranks } from './ranks.js';

/** The inputs of a run as one rank sees them. */
export interface Start {
  readonly settings: Settings;
  readonly data: DataRecord;
  /** Versions of the software, by name. */
  readonly versions: Readonly<Record<string, string>>;
  /** The trained parameters, in order: path and shape. */
  readonly parameters: readonly string[];
}

/** Settings that may differ between ranks: they affect no step. */
const OWN = ['train.workers'];

/**
 * Compares the inputs of all ranks with those of rank 0.
 *
 * @throws on all ranks, naming the first difference: ConfigError for settings, DataError for data and models, RuntimeError for
 * software.
 */
export async function assertSameStart(ranks: Ranks, { settings, data, versions, parameters }: Start): Promise<void> {
  const flat = Object.fromEntries([...flatSettings(settings)].filter(([key]) => !OWN.includes(key)));
  const all = await ranks.gather({ settings: flat, data: digestOf(data), versions, parameters });
  const [root] = all as [(typeof all)[number], ...typeof all];
  for (const [rank, other] of all.entries()) {
    const name = nameOf(rank, ranks.size);
    const version = firstDifference(root.versions, other.versions);
    if (version !== undefined) {
      const fix = 'Give all machines the same installation, or share one folder';
      throw new RuntimeError({ code: 'E_RANKS_DIFFER', where: name, what: asText(version), fix });
    }
    const setting = firstDifference(root.settings, other.settings);
    if (setting !== undefined) {
      const fix = 'Start all ranks with the same configuration';
      throw new ConfigError({ code: 'E_RANKS_DIFFER', where: name, what: asText(setting), fix });
    }
    if (other.parameters.join() !== root.parameters.join()) {
      const fix = 'Give all ranks the same model';
      throw new ConfigError({ code: 'E_RANKS_DIFFER', where: name, what: 'it trains other parameters than rank 0', fix });
    }
  }
  const odd = all.findIndex((other) => other.data !== root.data);
  if (odd < 0) return;
  const records = await ranks.gather(ranks.isRoot || ranks.rank === odd ? data : undefined);
  throw new DataError({
    code: 'E_RANKS_DIFFER',
    where: nameOf(odd, ranks.size),
    what: `compared with rank 0, its data differ: ${differences(records[0] as DataRecord, records[odd] as DataRecord)}`,
    fix: 'Give all ranks the same files: on a shared disk, or the same copy on each machine',
  });
}

type Difference = readonly [name: string, root: string, other: string];

function firstDifference(
  root: Readonly<Record<string, string>>,
  other: Readonly<Record<string, string>>,
): Difference | undefined {
  const names = [...new Set([...Object.keys(root), ...Object.keys(other)])].sort();
  const name = names.find((candidate) => root[candidate] !== other[candidate]);
  return name === undefined ? undefined : [name, root[name] ?? 'absent', other[name] ?? 'absent'];
}

function asText([name, root, other]: Difference): string {
  return `${name} is ${other} here and ${root} on rank 0`;
}
