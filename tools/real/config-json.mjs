import { readFile, writeFile } from 'node:fs/promises';

/** A number that transformers reads as a float although it is an integer: JSON.parse does not keep the difference. */
const WHOLE_FLOAT = /"(\w+)": -?\d+\.0(?=[,\s])/g;

/**
 * Changes a configuration file. Keys with a value such as 1.0 keep the point, without which transformers 5.18 refuses the file.
 *
 * @param change - receives the parsed content and changes it.
 */
export async function changeConfig(file, change) {
  const text = await readFile(file, 'utf8');
  const content = JSON.parse(text);
  change(content);
  const floats = new Set([...text.matchAll(WHOLE_FLOAT)].map(([, key]) => key));
  const changed = JSON.stringify(content, null, 2).replace(/"(\w+)": (-?\d+)(?=[,\n])/g, (line, key, value) =>
    floats.has(key) ? `"${key}": ${value}.0` : line,
  );
  await writeFile(file, `${changed}\n`);
}
