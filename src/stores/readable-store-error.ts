import { DataError } from '../util/index.js';
import { StoreError } from './store-error.js';

/** The fields of the SDK's errors, which have no common class. */
interface SdkError {
  readonly name?: string;
  readonly code?: string;
  readonly message?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** Refusals of these names would be the same for every object. */
const OF_THE_USER = new Set([
  'AuthorizationHeaderMalformed',
  'CredentialsProviderError',
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidAccessKeyId',
  'InvalidClientTokenId',
  'InvalidToken',
  'RequestTimeTooSkewed',
  'SignatureDoesNotMatch',
  'TokenRefreshRequired',
]);

/**
 * Converts an error of the SDK to a readable one: a `DataError` if it concerns one object, so that the next may still be read;
 * otherwise a `StoreError`.
 *
 * @param where - address of the object or folder.
 * @param endpoint - the store, for the message.
 */
export function readableStoreError(cause: unknown, where: string, endpoint: string): Error {
  if (cause instanceof DataError || cause instanceof StoreError) return cause;
  const { name = '', code, message = '', $metadata = {} } = cause as SdkError;
  const status = $metadata.httpStatusCode;
  if (OF_THE_USER.has(name))
    return new StoreError({
      code: 'E_STORE_DENIED',
      where: endpoint,
      what:
        name === 'CredentialsProviderError' ? 'there are no credentials for it' : `the credentials are not accepted (${name})`,
      fix: 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN), or AWS_PROFILE',
      cause,
    });
  if (name === 'NoSuchBucket')
    return new StoreError({
      code: 'E_STORE_NOT_FOUND',
      where,
      what: `there is no such bucket at ${endpoint}`,
      fix: 'Check the name, and AWS_ENDPOINT_URL_S3',
      cause,
    });
  if (name === 'PermanentRedirect' || status === 301)
    return new StoreError({
      code: 'E_STORE_NOT_FOUND',
      where,
      what: 'the bucket is in another region',
      fix: 'Set AWS_REGION to its region',
      cause,
    });
  if (name === 'NoSuchKey' || status === 404)
    return new DataError({
      code: 'E_STORE_NOT_FOUND',
      where,
      what: 'there is no such object',
      fix: 'Check the name; keys are case-sensitive',
      cause,
    });
  if (name === 'InvalidObjectState')
    return new DataError({
      code: 'E_STORE_DENIED',
      where,
      what: 'the object is archived',
      fix: 'Restore it to a storage class that can be read at once',
      cause,
    });
  if (name === 'AccessDenied' || status === 403)
    return new DataError({
      code: 'E_STORE_DENIED',
      where,
      what: 'reading it is not allowed (403)',
      fix: 'The credentials need s3:GetObject for objects and s3:ListBucket for folders',
      cause,
    });
  // Without a status, no answer came: names, connections, certificates, timeouts.
  if (status === undefined || status >= 500 || status === 429)
    return new StoreError({
      code: 'E_STORE_UNREACHABLE',
      where: endpoint,
      what: `the store does not answer, also after several attempts (${status ?? code ?? name}: ${message})`,
      fix: 'Check the address and the network; then run it again: finished images are kept',
      cause,
    });
  return new DataError({
    code: 'E_STORE_ANSWER',
    where,
    what: `the store answered with an error (${[name, status, message].filter(Boolean).join(', ')})`,
    fix: 'Check that the address is that of an S3-compatible store',
    cause,
  });
}
