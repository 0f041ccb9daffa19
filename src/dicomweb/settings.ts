import { ConfigError, isLoopbackHost } from '../util/index.js';

/** Which archive is asked, and as whom. */
export interface ArchiveSettings {
  /** The DICOMweb service, without a trailing slash. */
  readonly address: string;
  /** The Authorization header; undefined without credentials. */
  readonly authorization: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads credentials from the environment: `SONOGROUND_DICOMWEB_TOKEN`, or `SONOGROUND_DICOMWEB_USER` and
 * `SONOGROUND_DICOMWEB_PASSWORD`. Node itself reads `NODE_EXTRA_CA_CERTS`, certificates to trust in addition.
 *
 * @param address - of the archive; see {@link parseArchiveAddress}.
 * @throws ConfigError when they contradict each other, or would travel unencrypted.
 */
export function archiveSettings(address: string, env: Environment = process.env): ArchiveSettings {
  const token = env['SONOGROUND_DICOMWEB_TOKEN'] || undefined;
  const user = env['SONOGROUND_DICOMWEB_USER'] || undefined;
  const password = env['SONOGROUND_DICOMWEB_PASSWORD'] || undefined;
  if (token !== undefined && user !== undefined)
    throw invalid('SONOGROUND_DICOMWEB_TOKEN', 'a token and a user are both set', 'Unset one of them');
  if ((user === undefined) !== (password === undefined))
    throw invalid(
      user === undefined ? 'SONOGROUND_DICOMWEB_USER' : 'SONOGROUND_DICOMWEB_PASSWORD',
      'it is not set, but the other of user and password is',
      'Set both, or none',
    );
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token))
    throw invalid('SONOGROUND_DICOMWEB_TOKEN', 'it holds characters that a header cannot carry', 'Copy it again');
  if (user?.includes(':')) throw invalid('SONOGROUND_DICOMWEB_USER', 'a user name cannot hold a colon', 'Correct it');
  const authorization =
    token !== undefined
      ? `Bearer ${token}`
      : user === undefined
        ? undefined
        : `Basic ${Buffer.from(`${user}:${password}`, 'utf8').toString('base64')}`;
  if (authorization !== undefined && isOpenToAll(address))
    throw invalid(
      token === undefined ? 'SONOGROUND_DICOMWEB_USER' : 'SONOGROUND_DICOMWEB_TOKEN',
      `it would go to ${new URL(address).host} over plain http, where anybody on the way can read it`,
      'Use an https address',
    );
  return { address, authorization };
}

/** Whether images travel to an archive over a network without encryption. */
export function isOpenToAll(address: string): boolean {
  const { protocol, hostname } = new URL(address);
  return protocol === 'http:' && !isLoopbackHost(hostname);
}

function invalid(where: string, what: string, fix: string): ConfigError {
  return new ConfigError({ code: 'E_ENVIRONMENT', where, what, fix });
}
