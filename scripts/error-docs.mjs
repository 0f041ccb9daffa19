/** `docs/errors.md`, made from the table of codes in the sources. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from './lib/build.mjs';
import { root } from './lib/places.mjs';

const INTRODUCTION = `# Errors

<!-- Made from src/util/errors/codes.ts by \`npm run docs\`. -->

Every error that sonoground throws on purpose is a \`SonogroundError\` with \`code\`, \`where\`, \`what\` and,
where there is something to do, \`fix\`. The wording of the message may change at any time; a code does
not. Programs check the code, or the class to handle a whole kind of failure:

\`\`\`ts
import { SonogroundError } from 'sonoground';

try {
  await segmenter.segment(image, 'benign lesion.');
} catch (error) {
  if (error instanceof SonogroundError && error.code === 'E_IMAGE_TOO_LARGE') skip(image);
  else throw error;
}
\`\`\`

The command line prints the code last, in brackets, after the message and a helpful command. A
configuration with several problems has a line for each. The server returns the field \`code\` beside
\`status\`, \`where\`, \`what\` and \`fix\`.

Calls with arguments that are wrong for any data (a fold that does not exist, lists of different lengths)
throw a plain \`RangeError\` or \`Error\` without a code.
`;

/**
 * The page as Markdown.
 *
 * @param codes - the table of `src/util/errors/codes.ts`.
 */
export function errorsPage(codes) {
  const rows = Object.entries(codes).map(([code, { classes, meaning, remedy }]) => [
    `\`${code}\``,
    classes.map((name) => `\`${name}\``).join(', '),
    meaning,
    remedy,
  ]);
  const head = ['Code', 'Class', 'Meaning', 'What to do'];
  const widths = head.map((name, i) => Math.max(name.length, ...rows.map((cells) => cells[i].length)));
  const rule = widths.map((width) => '-'.repeat(width));
  const lines = [head, rule, ...rows].map((cells) => `| ${cells.map((cell, i) => cell.padEnd(widths[i])).join(' | ')} |`);
  return `${INTRODUCTION}\n${lines.join('\n')}\n`;
}

/** Writes the page from the compiled sources. */
export async function writeErrorsPage() {
  await build();
  const { errorCodes } = await import(pathToFileURL(join(root, 'dist', 'util', 'errors', 'codes.js')).href);
  await writeFile(join(root, 'docs', 'errors.md'), errorsPage(errorCodes));
}
