/** Version numbers of Python packages, as far as needed to select wheels. */

/**
 * The newest matching version.
 *
 * @param specifier - conditions separated by commas: `<13.0,>=12.5.3.2`, `==2.21.0`.
 */
export function newest(versions, specifier) {
  const conditions = specifier.split(',').map((text) => /^(==|>=|<=|<|>|!=)(.+)$/.exec(text.trim()) ?? ['', '==', text]);
  return versions
    .filter((version) => /^[\d.]+$/.test(version)) // no pre-releases
    .filter((version) => conditions.every(([, sign, bound]) => FITS[sign](compare(version, bound))))
    .sort(compare)
    .at(-1);
}

const FITS = {
  '==': (order) => order === 0,
  '!=': (order) => order !== 0,
  '>=': (order) => order >= 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '<': (order) => order < 0,
};

function compare(a, b) {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number));
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const order = (left[i] ?? 0) - (right[i] ?? 0);
    if (order !== 0) return order;
  }
  return 0;
}
