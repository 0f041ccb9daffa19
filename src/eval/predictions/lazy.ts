/** A model that is loaded when it is first needed, and again after it was disposed. */
export class Lazy<Model extends { dispose(): void }> {
  private readonly load: () => Promise<Model>;
  private model: Promise<Model> | undefined;

  constructor(load: () => Promise<Model>) {
    this.load = load;
  }

  get(): Promise<Model> {
    this.model ??= this.load();
    return this.model;
  }

  /** Frees the model, if it was loaded. */
  async dispose(): Promise<void> {
    const { model } = this;
    this.model = undefined;
    // A failed load has already been reported to its caller.
    await model?.then(
      (loaded) => loaded.dispose(),
      () => {},
    );
  }
}
