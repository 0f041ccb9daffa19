import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, it } from '@jest/globals';
import { glob } from 'tinyglobby';

/**
 * What the scripts take from the compiled project: `const { a } = await dist('x.js')` of the benches, also through `join`, and
 * `import { a } from '../dist/x.js'`.
 */
const DYNAMIC = /(?:const \{([^}]*)\} = await )?(?:dist|load)\('([^']+)'\)/g;
const JOINED = /const \{([^}]*)\} = await import\(pathToFileURL\(join\(root, 'dist', ([^)]*)\)\)\.href\)/g;
const STATIC = /import \{([^}]*)\} from '(?:\.\.\/)+dist\/([^']+)'/g;

interface Imported {
  readonly file: string;
  readonly source: string;
  readonly names: readonly string[];
}

function importsOf(file: string, text: string): Imported[] {
  const found = [DYNAMIC, JOINED, STATIC].flatMap((pattern) => [...text.matchAll(pattern)]);
  return found.map(([, names = '', path = '']) => {
    const plain = path.replaceAll("', '", '/').replaceAll("'", '');
    const module = plain.endsWith('.js') ? plain : `${plain}/index.js`;
    const list = names.split(',').map((name) => (name.split(/ as |:/)[0] as string).trim());
    return { file, source: join('src', module.replace(/\.js$/, '.ts')), names: list.filter((name) => name !== '') };
  });
}

/** The text of a module, with that of the modules that it hands on as a whole. */
async function textOf(source: string): Promise<string> {
  const text = await readFile(source, 'utf8');
  const whole = [...text.matchAll(/export \* from '([^']+)\.js'/g)].map(([, path = '']) => join(dirname(source), `${path}.ts`));
  return [text, ...(await Promise.all(whole.map(textOf)))].join('\n');
}

it('benches and tools import only existing modules', async () => {
  const files = await glob(['bench/**/*.mjs', 'tools/**/*.mjs', 'test/support/*.mjs']);
  const imported = (await Promise.all(files.map(async (file) => importsOf(file, await readFile(file, 'utf8'))))).flat();
  expect(imported.length).toBeGreaterThan(15);
  expect(imported.flatMap(({ names }) => names).length).toBeGreaterThan(30);
  expect(imported.filter(({ source }) => !existsSync(source))).toEqual([]);
  const absent: string[] = [];
  for (const { file, source, names } of imported) {
    const text = await textOf(source);
    const given =
      text.match(/export (?:type )?\{[^}]*\}|export (?:async |abstract )*(?:\w+) \w+|export \* as \w+/g)?.join(' ') ?? '';
    absent.push(
      ...names.filter((name) => !new RegExp(`\\b${name}\\b`).test(given)).map((name) => `${file}: ${name} of ${source}`),
    );
  }
  expect(absent).toEqual([]);
});
