import { once } from 'node:events';
import { hostname } from 'node:os';
import type { CommandModule } from 'yargs';
import type { Precision } from '../backend/index.js';
import { locateShipped } from '../config/index.js';
import { shippedModels } from '../pretrained/index.js';
import {
  createServer,
  defaultLimits,
  isLoopback,
  ProcessEngine,
  parseOrigins,
  type ServeLimits,
  tokenFor,
} from '../serve/index.js';
import { RuntimeError, UsageError } from '../util/index.js';
import { consoleLogger } from './console-logger.js';
import { viewerImages } from './images/viewer-images.js';
import { universegToServe } from './infer/infer-exemplars.js';
import { namedModels } from './named-models.js';
import { type GlobalOptions, precisionOption } from './options.js';
import { packageVersion } from './package-version.js';
import { stopOnSignals } from './stop-on-signals.js';

interface ServeOptions extends GlobalOptions {
  detector: string;
  masker: string | undefined;
  adapter: string | undefined;
  maskerAdapter: string | undefined;
  adapterScale: number;
  universeg: string | undefined;
  precision: Precision | undefined;
  host: string;
  port: number;
  token: string | undefined;
  allowHost: string[];
  allowOrigin: string[];
  prompt: string;
  images: string | undefined;
  dicomweb: string | undefined;
  maxUpload: number;
  maxPixels: number;
  queue: number;
  timeout: number;
}

const ANY_ADDRESS = ['0.0.0.0', '::'];

export const serveCommand: CommandModule<GlobalOptions, ServeOptions> = {
  command: 'serve',
  describe: 'serve a web page and a REST API',
  builder: (args) =>
    args
      .option('detector', {
        alias: 'model',
        type: 'string',
        default: shippedModels.detector,
        describe: 'folder of the detector, a run, an adapter or an export; or a downloaded model',
      })
      .option('masker', {
        type: 'string',
        describe: `folder of the masker, or none for boxes only; default: ${shippedModels.masker}, or that of the export`,
      })
      .option('adapter', { type: 'string', describe: 'folder of a LoRA adapter (a run: runs/NAME/best)' })
      .option('masker-adapter', { type: 'string', describe: 'folder of a LoRA adapter of the masker' })
      .option('adapter-scale', { type: 'number', default: 1, describe: 'strength of the adapters: 0 off, 1 as trained' })
      .option('universeg', {
        type: 'string',
        describe:
          'folder or run of a UniverSeg, which segments by exemplars instead of a prompt, a downloaded one, or none; default: the shipped one',
      })
      .option('precision', precisionOption)
      .option('host', {
        type: 'string',
        default: '127.0.0.1',
        describe: 'address to listen on; any but loopback needs a token',
      })
      .option('port', { type: 'number', default: 8080, describe: 'port to listen on; 0 picks a free one' })
      .option('token', {
        type: 'string',
        describe: 'token that requests must carry; also SONOGROUND_TOKEN, which other users cannot see; generated if needed',
      })
      .option('allow-host', {
        type: 'string',
        array: true,
        default: [] as string[],
        describe: 'public host names of the server, for example behind a proxy',
      })
      .option('allow-origin', {
        type: 'string',
        array: true,
        default: [] as string[],
        describe: 'origins of viewers in a browser, as in http://localhost:3000; requests then need a token',
      })
      .option('prompt', {
        type: 'string',
        default: 'lesion',
        describe: 'phrases that viewers (3D Slicer, OHIF) are offered, separated by dots',
      })
      .option('images', { type: 'string', describe: 'folder of images that viewers may list and name' })
      .option('dicomweb', {
        type: 'string',
        describe: 'address of a DICOMweb archive whose series viewers may name; credentials by the environment',
      })
      .option('max-upload', { type: 'number', default: 64, describe: 'largest file, in MB' })
      .option('max-pixels', { type: 'number', default: 40, describe: 'largest image, in millions of pixels' })
      .option('queue', { type: 'number', default: defaultLimits.waiting, describe: 'largest number of waiting requests' })
      .option('timeout', { type: 'number', default: 120, describe: 'time limit of a request, in seconds' })
      .example('$0 serve', 'the shipped models, on this machine only')
      .example('$0 serve --detector runs/liver --port 9000', 'your own fine-tuned model')
      .example(
        '$0 serve --prompt "thyroid nodule" --dicomweb https://archive.example.org/dicom-web --allow-origin http://localhost:3000',
        'for OHIF, beside its archive',
      )
      .example('$0 serve --host 0.0.0.0', 'for other machines, which need the printed token') as never,
  handler: async (options) => {
    const {
      detector,
      masker,
      adapter,
      maskerAdapter,
      adapterScale,
      universeg,
      precision,
      host,
      port,
      allowHost,
      allowOrigin,
      prompt,
      images,
      dicomweb,
      backend,
      ...rest
    } = options;
    const limits = limitsOf(rest);
    if (!(Number.isInteger(port) && port >= 0 && port < 65536))
      throw new UsageError({
        code: 'E_OPTION_VALUE',
        where: '--port',
        what: `expected an integer from 0 to 65535, got ${port}`,
      });
    const given = rest.token ?? process.env['SONOGROUND_TOKEN'];
    const origins = parseOrigins(allowOrigin);
    const token = tokenFor(host, allowHost, given, origins);
    checkPrompt(prompt);
    const viewers = { prompt, images: await viewerImages({ images, dicomweb }, consoleLogger) };
    const models = await namedModels({ detector, masker, adapter, maskerAdapter, adapterScale, precision });
    const engine = await ProcessEngine.start(
      { models, universeg: await universegToServe(universeg), backend, limits },
      consoleLogger,
    );
    const { facts } = engine;
    const version = await packageVersion();
    const server = await createServer({
      engine,
      limits,
      token,
      names: allowHost,
      origins,
      viewers,
      version,
      logger: consoleLogger,
    });
    try {
      await server.listen({ host, port });
    } catch (cause) {
      await server.close();
      throw listenError(host, port, cause);
    }
    const taken = (server.server.address() as { readonly port: number }).port;
    const shown = ANY_ADDRESS.includes(host) ? hostname() : host.includes(':') ? `[${host}]` : host;
    const parts = [facts.detector, facts.adapter, facts.masker, facts.exemplars].filter((part) => part !== null);
    consoleLogger.info(`${parts.join(' + ')}${precision === 'bfloat16' ? ' in bfloat16' : ''} on ${facts.backend}`);
    if (!isLoopback(host))
      consoleLogger.warn(`requests are not encrypted: put a TLS proxy in front (${await locateShipped('docs/serving.md')})`);
    if (token !== undefined && given === undefined) consoleLogger.info(`token: ${token}`);
    // The fragment stays in the browser.
    const link = token !== undefined && given === undefined ? `#token=${token}` : '';
    // Before other processes can learn that the server is up and stop it. At a second signal the engine process, which would go on
    // with its job, is ended too.
    const stop = stopOnSignals('finishing requests', () => engine.close());
    consoleLogger.info(`http://${shown}:${taken}/${link} (Ctrl-C to stop)`);
    consoleLogger.info(`images to try, with their prompts: ${await locateShipped('examples/README.md')}`);
    if (!stop.signal.aborted) await once(stop.signal, 'abort');
    // An orderly end leaves nothing undone: the exit code is 0.
    await server.close();
    stop.dispose();
  },
};

function checkPrompt(prompt: string): void {
  if (prompt.replace(/[.\s]/g, '') !== '') return;
  throw new UsageError({ code: 'E_PROMPT_TEXT', where: '--prompt', what: 'it names nothing', fix: 'Say what viewers look for' });
}

function limitsOf({
  maxUpload,
  maxPixels,
  queue,
  timeout,
}: Pick<ServeOptions, 'maxUpload' | 'maxPixels' | 'queue' | 'timeout'>): ServeLimits {
  for (const [name, value] of Object.entries({ 'max-upload': maxUpload, 'max-pixels': maxPixels, timeout }))
    if (!(value > 0 && Number.isFinite(value)))
      throw new UsageError({ code: 'E_OPTION_VALUE', where: `--${name}`, what: `expected a number above 0, got ${value}` });
  if (!(Number.isInteger(queue) && queue >= 0))
    throw new UsageError({ code: 'E_OPTION_VALUE', where: '--queue', what: `expected an integer of at least 0, got ${queue}` });
  return {
    ...defaultLimits,
    uploadBytes: Math.round(maxUpload * 1024 * 1024),
    pixels: Math.round(maxPixels * 1e6),
    waiting: queue,
    timeoutMs: Math.round(timeout * 1000),
  };
}

function listenError(host: string, port: number, cause: unknown): unknown {
  const { code } = cause as NodeJS.ErrnoException;
  const known: Record<string, [what: string, fix: string]> = {
    EADDRINUSE: ['somebody listens there already', 'Choose another --port; 0 takes a free one'],
    EACCES: ['this port is not for everybody', 'Choose a --port from 1024 on'],
    EADDRNOTAVAIL: ['this machine has no such address', 'Choose another --host'],
    ENOTFOUND: ['there is no such host', 'Choose another --host'],
  };
  const [what, fix] = known[code ?? ''] ?? [];
  return what === undefined
    ? cause
    : new RuntimeError({ code: 'E_SERVER_ADDRESS', where: `${host}:${port}`, what, ...(fix && { fix }), cause });
}
