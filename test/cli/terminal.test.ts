import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { report } from '../../src/cli/main.js';
import { startProgress } from '../../src/cli/progress.js';
import { html } from '../../src/data/audit/page/html.js';
import { HubError } from '../../src/pretrained/hub/hub-error.js';
import { ConfigError, DataError, escapeHtml } from '../../src/util/index.js';
import { runCommand } from '../support/command.js';
import { printed } from '../support/printed.js';

const EVIL = 'a\u001b[2J\u009b31m\nerror: all is lost\u202e';
const SHOWN = 'a\\x1b[2J\\x9b31m\\nerror: all is lost\\u202e';

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'terminal-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

describe('paths in untrusted files', () => {
  it('is shown and not obeyed when a file of that name cannot be read', async () => {
    await writeFile(join(dir, `${EVIL}.png`), 'not an image');
    const { code, text } = await runCommand([
      'infer',
      '--image',
      dir,
      '--prompt',
      'cyst',
      '--masker',
      'none',
      '--out',
      join(dir, 'out'),
    ]);
    expect(code).toBe(1);
    expect(text).toContain(SHOWN);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it is about
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    expect(text).not.toMatch(/^error: all is lost/m);
  });

  it('is shown in errors, those that nobody expected and unknown arguments included', async () => {
    expect(printed(() => report(new DataError({ code: 'E_IMAGE_DAMAGED', where: EVIL, what: 'bad' })))).toBe(
      `error: ${SHOWN}: bad [E_IMAGE_DAMAGED]\n`,
    );
    expect(printed(() => report(new Error(EVIL.replace('\n', ''))))).toContain(SHOWN.replace('\\n', ''));
    expect((await runCommand(['infer', `--${EVIL}`, '--image', 'a', '--prompt', 'b', '--out', 'c'])).text).not.toContain(
      '\u001b',
    );
  });

  it('is followed by the command that helps, as the reader types it, and by the code', () => {
    const error = new HubError({ code: 'E_MODEL_NOT_DOWNLOADED', where: 'owner/model', what: 'absent', fix: 'Download it' });
    expect(printed(() => report(error))).toBe(
      'error: owner/model: absent. Download it. Run `npx sonoground download owner/model` [E_MODEL_NOT_DOWNLOADED]\n',
    );
  });

  it('is shown beside a progress bar', () => {
    const progress = startProgress('images');
    expect(printed(() => progress.update(1, 1, EVIL))).toMatch(/^images 1\/1, .*\n$/);
    expect(printed(() => progress.update(1, 1, EVIL))).toContain(SHOWN);
  });

  it('does not keep the problems of a configuration from having a line each', () => {
    expect(
      printed(() =>
        report(new ConfigError({ code: 'E_CONFIG_VALUE', where: 'a.yaml', what: '2 problems:\n  one\n  two\u001b' })),
      ),
    ).toBe('error: a.yaml: 2 problems:\n  one\n  two\\x1b\n[E_CONFIG_VALUE]\n');
  });

  it('is no markup and no command on a page', () => {
    for (const escaped of [escapeHtml, (text: string) => html`${text}`.text]) {
      expect(escaped(`<img src=x onerror="a('b')">&\u202e`)).not.toMatch(/[<>"'\u202e]/);
      expect(escaped('a & b')).toBe('a &#38; b');
    }
  });
});
