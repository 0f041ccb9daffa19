import type { CommandModule } from 'yargs';
import type { GlobalOptions } from './options.js';

/** Commands with a common purpose. */
export interface CommandGroup {
  readonly title: string;
  readonly commands: readonly CommandModule<GlobalOptions, never>[];
}

/** The setup command, which works before installation is complete: it belongs to the launcher. */
export const SETUP = { command: 'setup', describe: 'install TensorFlow and compile the native operations' } as const;

/** Examples for new users. */
const EXAMPLES: readonly (readonly [line: string, does: string])[] = [
  ['demo', 'fine-tune the shipped models on real images: under 5 minutes on 2 cores'],
  ['infer --image examples/fetal-head-1.jpg --prompt "fetal head" --out out', 'segment an image shipped with sonoground'],
  [
    'train --config configs/fine-tune.yaml --set data.root=DIR data.prompt="liver tumor" run.dir=runs/liver',
    'fine-tune on your own images/ and masks/',
  ],
  ['infer --image scan.png --prompt "liver tumor" --adapter runs/liver/best --out out', 'segment with the result'],
  ['eval', 'DSC and IoU of the newest run'],
  ['doctor', 'backend, devices and speed of this machine'],
];

const OPTIONS: readonly (readonly [option: string, does: string])[] = [
  ['--help', 'after a command: options and examples'],
  ['--version', 'the version of sonoground'],
  ['--backend', 'backend: auto, tensorflow, webgpu, wasm or cpu; also SONOGROUND_BACKEND'],
];

/**
 * The text of `--help` without a command: all commands by purpose, and the first ones to try.
 *
 * @param prefix - text typed before the name of a command.
 */
export function overview(groups: readonly CommandGroup[], prefix: string): string {
  const purposes = groups.map(({ title, commands }) => {
    const rows = commands.map(({ command, describe }) => [nameOf(command), String(describe)] as const);
    return section(title, rows);
  });
  const examples = EXAMPLES.map(([line, does]) => `  # ${does}\n  ${prefix} ${line}`);
  return [
    `Segments ultrasound images by a text prompt.\n\nUsage: ${prefix} <command> [options]`,
    ...purposes,
    section('Options', OPTIONS),
    `Examples\n${examples.join('\n')}`,
    'Files under configs/, examples/ and weights/ are part of sonoground and are found from any folder.',
  ].join('\n\n');
}

function section(title: string, rows: readonly (readonly [name: string, does: string])[]): string {
  return [title, ...rows.map(([name, does]) => `  ${name.padEnd(13)}${does}`)].join('\n');
}

/** A command's name, without its arguments. */
export function nameOf(command: CommandModule['command']): string {
  return String(command).split(' ')[0] ?? '';
}
