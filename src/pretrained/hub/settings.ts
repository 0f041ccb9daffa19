import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '../../util/index.js';

/** Location of the hub and its cache. */
export interface HubSettings {
  /** Without a trailing slash. */
  readonly endpoint: string;
  readonly cacheDir: string;
  readonly token: string | undefined;
  readonly tokenFile: string;
  readonly offline: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the same environment variables as Hugging Face's libraries, in their order of precedence: `HF_ENDPOINT`; `HF_HUB_CACHE`,
 * `HUGGINGFACE_HUB_CACHE`, `HF_HOME`, `XDG_CACHE_HOME`; `HF_TOKEN`, `HUGGING_FACE_HUB_TOKEN`, `HF_TOKEN_PATH`; `HF_HUB_OFFLINE`,
 * `TRANSFORMERS_OFFLINE`; `HF_HUB_DISABLE_IMPLICIT_TOKEN`.
 *
 * @throws ConfigError when `HF_ENDPOINT` is not a valid URL.
 * @see https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables
 */
export async function hubSettings(env: Environment = process.env): Promise<HubSettings> {
  const home = expand(env['HF_HOME'] || join(env['XDG_CACHE_HOME'] || '~/.cache', 'huggingface'), env);
  const tokenFile = expand(env['HF_TOKEN_PATH'] || join(home, 'token'), env);
  const given = env['HF_TOKEN'] || env['HUGGING_FACE_HUB_TOKEN'];
  const token = isTrue(env['HF_HUB_DISABLE_IMPLICIT_TOKEN'])
    ? undefined
    : (given ?? (await readFile(tokenFile, 'utf8').catch(() => '')));
  return {
    endpoint: endpointOf(env['HF_ENDPOINT'] || 'https://huggingface.co'),
    cacheDir: expand(env['HF_HUB_CACHE'] || env['HUGGINGFACE_HUB_CACHE'] || join(home, 'hub'), env),
    token: token?.replace(/[\r\n]/g, '').trim() || undefined,
    tokenFile,
    offline: isTrue(env['HF_HUB_OFFLINE'] || env['TRANSFORMERS_OFFLINE']),
  };
}

function endpointOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol))
    throw new ConfigError({
      code: 'E_ENVIRONMENT',
      where: 'HF_ENDPOINT',
      what: `expected an address, got ${JSON.stringify(text)}`,
      fix: 'Write it as https://huggingface.co',
    });
  return text.replace(/\/+$/, '');
}

function isTrue(text: string | undefined): boolean {
  return ['1', 'ON', 'YES', 'TRUE'].includes((text ?? '').toUpperCase());
}

/** Expands `~`, `$NAME` and `${NAME}`, as upstream does. */
function expand(path: string, env: Environment): string {
  const absolute = path === '~' || path.startsWith('~/') ? join(env['HOME'] || homedir(), path.slice(1)) : path;
  return absolute.replace(/\$(?:(\w+)|\{(\w+)\})/g, (whole, bare: string | undefined, braced: string | undefined) => {
    return env[bare ?? braced ?? ''] ?? whole;
  });
}
