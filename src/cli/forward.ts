import type { CommandModule } from 'yargs';
import { initBackend } from '../backend/index.js';
import { rawForward } from '../infer/index.js';
import { consoleLogger } from './console-logger.js';
import type { GlobalOptions } from './options.js';

interface ForwardOptions extends GlobalOptions {
  model: string;
  inputs: string;
  outputs: string;
  adapter: string | undefined;
  multimask: boolean | undefined;
  blocks: boolean;
}

export const forwardCommand: CommandModule<GlobalOptions, ForwardOptions> = {
  command: 'forward',
  describe: 'run one raw forward pass from file to file, for comparison with Python',
  builder: (args) =>
    args
      .option('model', { type: 'string', demandOption: true, describe: 'a Hugging Face model directory' })
      .option('inputs', { type: 'string', demandOption: true, describe: "safetensors with Hugging Face's input names" })
      .option('outputs', { type: 'string', demandOption: true, describe: 'safetensors file to write' })
      .option('adapter', { type: 'string', describe: 'folder of a LoRA adapter (grounding-dino)' })
      .option('multimask', {
        type: 'boolean',
        describe: 'several masks per prompt (sam2, sam, samus); default: as the inputs file specifies',
      })
      .option('blocks', {
        type: 'boolean',
        default: false,
        describe: 'also write what each block computes, as blocks.N.NAME (sam2, sam, samus)',
      })
      .example('$0 forward --model DIR --inputs in.safetensors --outputs out.safetensors', 'logits and boxes, or masks') as never,
  handler: async ({ backend, ...options }) => {
    await initBackend(backend, consoleLogger);
    const shapes = await rawForward(options);
    for (const [name, shape] of Object.entries(shapes)) consoleLogger.info(`${name} [${shape.join(', ')}]`);
    consoleLogger.info(`outputs: ${options.outputs}`);
  },
};
