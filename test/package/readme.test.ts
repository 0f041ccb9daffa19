import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from '@jest/globals';

const readme = await readFile('README.md', 'utf8');

describe('the README', () => {
  it('has a program that runs as it stands and finds what it asks for', () => {
    const [, program = ''] = /```ts\n([\s\S]*?)```/.exec(readme) ?? [];
    expect(program).toContain("from 'sonoground'");
    const here = program.replace("'sonoground'", JSON.stringify(pathToFileURL('dist/index.js').href));
    const printed = execFileSync(process.execPath, ['--input-type=module', '-e', here], { encoding: 'utf8' });
    const lines = printed.trim().split('\n');
    for (const line of lines) expect(line).toMatch(/^(nerve|blood vessel) 0\.\d+ /);
  });

  it('links and shows files that there are', () => {
    const targets = [...readme.matchAll(/\]\(([^)#]+)[^)]*\)/g)]
      .map(([, target = '']) => target)
      .filter((target) => !/^https?:/.test(target));
    expect(targets.length).toBeGreaterThan(10);
    expect(targets.filter((target) => !existsSync(target))).toEqual([]);
  });
});
