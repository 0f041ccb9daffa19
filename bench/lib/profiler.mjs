/** Where the time of a pass goes: TensorFlow operations by kind, shapes and block. */

/**
 * Times every operation that the native backend runs, on the way to the binding. They run one after the other, on the caller's
 * thread or while it waits, so that time here is time of the pass.
 */
export function profiler(backend) {
  const { binding } = backend;
  const records = [];
  const place = [];
  const stock = binding.executeOp;
  const executeOp = (name, attributes, inputs, outputs) => {
    const begin = performance.now();
    const result = stock.call(binding, name, attributes, inputs, outputs);
    const ms = performance.now() - begin;
    const shapes = result.map(({ shape }) => `[${shape.join(',')}]`).join(' ');
    records.push({ name, ms, shapes, block: place.at(-1) ?? '(between blocks)' });
    return result;
  };
  // The binding's own properties cannot be written.
  backend.binding = Object.create(binding, { executeOp: { value: executeOp } });
  return {
    records,
    /** The same context, telling in which block each operation ran. */
    context(model, context) {
      const paths = new Map([...model.namedModules()].map(([path, module]) => [module, path]));
      for (const [path, parameter] of model.namedParameters()) paths.set(parameter, path);
      const nameOf = (owners) => paths.get(Array.isArray(owners) ? owners[0] : owners) ?? '?';
      const own = {
        block: (owners, inputs, fn) =>
          context.block(owners, inputs, (...args) => {
            place.push(nameOf(owners));
            try {
              return fn(...args);
            } finally {
              place.pop();
            }
          }),
      };
      return new Proxy(context, {
        get(target, key) {
          if (key in own) return own[key];
          const value = target[key];
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
    },
    clear: () => records.splice(0),
    stop() {
      backend.binding = binding;
    },
  };
}

/** Sums of `ms` by a key, the largest first. */
export function sumsBy(records, key) {
  const sums = new Map();
  for (const record of records) {
    const sum = sums.get(key(record)) ?? { ms: 0, count: 0 };
    sums.set(key(record), { ms: sum.ms + record.ms, count: sum.count + 1 });
  }
  return [...sums].map(([name, sum]) => ({ name, ...sum })).sort((a, b) => b.ms - a.ms);
}

/** A table of the first `rows` sums, as text. */
export function table(title, sums, total, rows) {
  const lines = sums
    .slice(0, rows)
    .map(
      ({ name, ms, count }) =>
        `  ${ms.toFixed(1).padStart(9)} ms ${((100 * ms) / total).toFixed(1).padStart(5)} %  x${String(count).padEnd(5)} ${name}`,
    );
  return [title, ...lines].join('\n');
}
