/** The time of a pass by parts of the model: the first two names of the module that a block belongs to. */
export function stageClock() {
  const sums = new Map();
  const counts = new Map();
  return {
    context(stock) {
      const forModel = (model) => {
        const names = new Map([...model.namedModules()].map(([path, module]) => [module, path]));
        for (const [path, parameter] of model.namedParameters()) names.set(parameter, path);
        const block = (owners, inputs, fn) => {
          const begin = performance.now();
          const result = stock.block(owners, inputs, fn);
          const path = names.get(Array.isArray(owners) ? owners[0] : owners) ?? 'other';
          const stage = path.split('.').slice(0, 2).join('.');
          sums.set(stage, (sums.get(stage) ?? 0) + (performance.now() - begin) / 1000);
          counts.set(stage, (counts.get(stage) ?? 0) + 1);
          return result;
        };
        return { ...stock, block };
      };
      return { ...stock, forModel };
    },
    /** The number of blocks of each part that ran. */
    blocks: () => Object.fromEntries(counts),
    stages: () => Object.fromEntries([...sums].map(([stage, seconds]) => [stage, Number(seconds.toFixed(4))])),
  };
}
