import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { runCommand } from '../support/command.js';
import { itUnless } from '../support/skipped.js';

const DEPLOY = 'deploy';
const files = readdirSync(DEPLOY, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && !entry.parentPath.includes('__pycache__'))
  .map((entry) => join(entry.parentPath, entry.name));
const textOf = (file: string) => readFileSync(file, 'utf8');
const scripts = files.filter((file) => textOf(file).startsWith('#!/usr/bin/env bash'));

/** Why scripts are not checked. */
const notShellcheck =
  spawnSync('shellcheck', ['--version']).status === 0 ? undefined : 'it needs shellcheck: apt-get install shellcheck';

interface Container {
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
}

interface Job {
  readonly spec: {
    readonly completions?: number;
    readonly parallelism?: number;
    readonly maxFailedIndexes?: number;
    readonly template: { readonly spec: { readonly containers: readonly [Container]; readonly volumes: unknown } };
  };
}

const job = (name: string) => parse(textOf(join(DEPLOY, 'kubernetes', name))) as Job;

describe('the scripts of deploy/', () => {
  itUnless(notShellcheck, 'have no mistakes that shellcheck knows', () => {
    expect(scripts.length).toBeGreaterThan(3);
    const { status, stdout } = spawnSync('shellcheck', ['--shell=bash', ...scripts], { encoding: 'utf8' });
    expect([status, stdout]).toEqual([0, '']);
  });

  it('name options and files that there are', async () => {
    const known = new Map<string, string>();
    for (const command of ['infer', 'merge', 'train', 'eval']) known.set(command, (await runCommand([command, '--help'])).text);
    for (const file of files) {
      for (const [, command = '', options = ''] of textOf(file).matchAll(/\b(infer|merge|train|eval)\b((?: +(?:--)?[^\s#`]+)*)/g))
        for (const [option] of options.matchAll(/(?<!\S)--[a-z-]+/g))
          expect([file, command, option, known.get(command)?.includes(option)]).toEqual([file, command, option, true]);
      for (const [path] of textOf(file).matchAll(/(?<![\w/.])(?:deploy|configs|scripts)\/[\w./-]*\w/g))
        expect([file, path, existsSync(path)]).toEqual([file, path, true]);
    }
  });
});

describe('the Jobs for Kubernetes', () => {
  it('agree about the image, the volume and the number of shards, wherever it stands', () => {
    const [infer, merge] = [job('infer.yaml').spec, job('merge.yaml').spec];
    const [[inferring], [merging]] = [infer.template.spec.containers, merge.template.spec.containers];
    const { completions } = infer;
    expect(completions).toBeGreaterThan(1);
    expect([infer.parallelism, infer.maxFailedIndexes]).toEqual([completions, completions]);
    expect(inferring.args).toContain(`--shard=$(JOB_COMPLETION_INDEX)/${completions}`);
    expect(merging.command?.join(' ')).toContain(`/shards/*-of-${completions} `);
    expect(merging.image).toBe(inferring.image);
    expect(merge.template.spec.volumes).toEqual(infer.template.spec.volumes);
  });
});

describe('the images for containers', () => {
  it('copy everything that compiling the sources and running commands reads', () => {
    const { files: packed } = JSON.parse(textOf('package.json')) as { files: readonly string[] };
    const needed = ['src', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json', '.npmrc', 'scripts'];
    const read = packed.filter((name) => ['native', 'configs', 'assets', 'examples', 'weights'].includes(name));
    expect(read).toHaveLength(5);
    const [recipe, definition] = ['Containerfile', 'sonoground.def'].map((name) => textOf(join(DEPLOY, name)));
    for (const name of [...needed, ...read]) {
      expect([name, recipe?.split('\n').some((line) => /^COPY /.test(line) && line.split(' ').includes(name))]).toEqual([
        name,
        true,
      ]);
      expect([name, definition?.includes(`    ${name} /sonoground/${name}\n`)]).toEqual([name, true]);
    }
  });
});
