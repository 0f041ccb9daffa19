import { ConfigError } from '../util/index.js';

/** Which store is asked, and how. Credentials are found by the SDK itself. */
export interface StoreSettings {
  /** Undefined for Amazon's own. */
  readonly endpoint: string | undefined;
  /** Undefined where the SDK finds it in its configuration files. */
  readonly region: string | undefined;
  /** Attempts at a request, and at the body of an object. */
  readonly attempts: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

const ATTEMPTS = 5;

/** What stores other than Amazon's ignore, but requests are signed with. */
const ANY_REGION = 'us-east-1';

/**
 * Reads the environment variables of Amazon's tools: `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`; `AWS_REGION`,
 * `AWS_DEFAULT_REGION`; `AWS_MAX_ATTEMPTS`.
 *
 * @throws ConfigError when one has a value that cannot be used.
 */
export function storeSettings(env: Environment = process.env): StoreSettings {
  const [name, endpoint] = firstOf(env, ['AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL']);
  if (endpoint !== undefined && !/^https?:$/.test(URL.canParse(endpoint) ? new URL(endpoint).protocol : ''))
    throw invalid(name, `expected an address, got ${JSON.stringify(endpoint)}`, 'Write it as https://minio.example.org:9000');
  const [, region] = firstOf(env, ['AWS_REGION', 'AWS_DEFAULT_REGION']);
  const attempts = Number(env['AWS_MAX_ATTEMPTS'] || ATTEMPTS);
  if (!Number.isInteger(attempts) || attempts < 1)
    throw invalid('AWS_MAX_ATTEMPTS', `expected a positive integer, got ${env['AWS_MAX_ATTEMPTS']}`, 'Unset it');
  return { endpoint, region: region ?? (endpoint === undefined ? undefined : ANY_REGION), attempts };
}

/** Whether images would travel over a network without encryption. */
export function isUnencrypted({ endpoint }: StoreSettings): boolean {
  if (endpoint === undefined) return false;
  const { protocol, hostname } = new URL(endpoint);
  return protocol === 'http:' && !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}

function firstOf(env: Environment, names: readonly string[]): readonly [name: string, value: string | undefined] {
  const name = names.find((each) => env[each]) ?? '';
  return [name, env[name]];
}

function invalid(where: string, what: string, fix: string): ConfigError {
  return new ConfigError({ code: 'E_ENVIRONMENT', where, what, fix });
}
