/** Which layers get an adapter, of what size, and what is trained whole beside them. */
export interface LoraSpec {
  readonly rank: number;
  /** The update is scaled by alpha / rank. */
  readonly alpha: number;
  /** Share of each adapter's input that is dropped in training. Default: 0. */
  readonly dropout?: number;
  /** Path patterns (`util/path-pattern`) of linear layers. */
  readonly targetModules: readonly string[];
  /** Ranks of single layers, by path pattern; the first that fits holds. */
  readonly rankPattern?: Readonly<Record<string, number>>;
  /** Alphas of single layers, by path pattern; the first that fits holds. */
  readonly alphaPattern?: Readonly<Record<string, number>>;
  /** Dropout of single layers, by path pattern; the first that fits holds. */
  readonly dropoutPattern?: Readonly<Record<string, number>>;
  /** Path patterns of modules whose own parameters are trained. */
  readonly modulesToSave?: readonly string[];
}
