import {
  GroundingDino,
  groundingDinoAuthorsKeys,
  groundingDinoHeadPaths,
  groundingDinoTiedKeys,
} from '../models/grounding-dino/index.js';
import type { Module } from '../nn/index.js';
import type { KeyNaming, TiedKeys } from '../weights/index.js';

/** How names in an adapter file map to the modules of a model. */
export interface AdapterNaming {
  /** Copies of shared modules that a file may contain; they must be equal. */
  readonly tied: readonly TiedKeys[];
  /** Other namings to recognise. */
  readonly namings: readonly KeyNaming[];
  /** Paths where Python expects an adapter, by the module's path here, if they differ. */
  readonly adapterPaths: Readonly<Record<string, readonly string[]>>;
}

/** The naming for a model. */
export function namingOf(model: Module): AdapterNaming {
  if (!(model instanceof GroundingDino)) return { tied: [], namings: [], adapterPaths: {} };
  const { config } = model;
  return {
    tied: groundingDinoTiedKeys.filter(({ when }) => when === undefined || config[when]),
    namings: [groundingDinoAuthorsKeys],
    adapterPaths: groundingDinoHeadPaths(config),
  };
}

/** The paths of a layer among Python's modules. */
export function pythonPaths(path: string, places: Readonly<Record<string, readonly string[]>>): string[] {
  for (const [ours, theirs] of Object.entries(places)) {
    if (path === ours || path.startsWith(`${ours}.`)) return theirs.map((their) => their + path.slice(ours.length));
  }
  return [path];
}
