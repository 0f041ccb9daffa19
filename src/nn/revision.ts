let revision = 0;

/** Counts the changes to how models compute, apart from the values of their parameters: replaced layers, scaled adapters. */
export function computationRevision(): number {
  return revision;
}

/** Must be called by whatever changes how a model computes: graphs recorded before are no longer valid. */
export function computationChanged(): void {
  revision += 1;
}
