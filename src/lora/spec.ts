/** Which layers get an adapter, of what rank, and which modules are trained in full. */
export interface LoraSpec {
  readonly rank: number;
  /** The update is scaled by alpha / rank. */
  readonly alpha: number;
  /** Dropout rate of each adapter's input in training. Default: 0. */
  readonly dropout?: number;
  /** Path patterns (`util/path-pattern`) of linear layers. */
  readonly targetModules: readonly string[];
  /** Ranks of individual layers, by path pattern; the first match applies. */
  readonly rankPattern?: Readonly<Record<string, number>>;
  /** Alphas of individual layers, by path pattern; the first match applies. */
  readonly alphaPattern?: Readonly<Record<string, number>>;
  /** Dropout of individual layers, by path pattern; the first match applies. */
  readonly dropoutPattern?: Readonly<Record<string, number>>;
  /** Path patterns of modules whose own parameters are trained. */
  readonly modulesToSave?: readonly string[];
}
