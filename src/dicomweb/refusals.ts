import { ConnectionLost, DataError, retryAfterMs, TryAgain } from '../util/index.js';
import { DicomWebError } from './dicomweb-error.js';
import type { Answer } from './http.js';
import type { ArchiveSettings } from './settings.js';

const NOT_TRUSTED = {
  what: 'its certificate is not trusted',
  fix: 'Let NODE_EXTRA_CA_CERTS name the file of the certificate that signed it',
};

/** Certificates for which trust is not what is missing. */
const CERTIFICATES: Readonly<Record<string, typeof NOT_TRUSTED>> = {
  ERR_TLS_CERT_ALTNAME_INVALID: {
    what: 'its certificate is of another host',
    fix: 'Name the archive as its certificate does',
  },
  CERT_HAS_EXPIRED: { what: 'its certificate has expired', fix: 'Have it renewed; check the date of this machine' },
  CERT_NOT_YET_VALID: { what: 'its certificate is not valid yet', fix: 'Check the date of this machine' },
};

/** Wraps a lost connection so that the request is tried again; other failures are returned unchanged. */
export function mayPass(failure: unknown, { address }: ArchiveSettings): unknown {
  if (!(failure instanceof ConnectionLost)) return failure;
  const { code, untrusted, plain, problem } = failure;
  if (untrusted) {
    const { what, fix } = CERTIFICATES[code] ?? NOT_TRUSTED;
    return new DicomWebError({
      code: 'E_DICOMWEB_CERTIFICATE',
      where: address,
      what: `${what} (${code})`,
      fix,
      cause: failure,
    });
  }
  if (plain)
    return new DicomWebError({
      code: 'E_DICOMWEB_UNREACHABLE',
      where: address,
      what: problem,
      fix: 'Check the port; http:// is for archives on this machine',
      cause: failure,
    });
  return new TryAgain(
    new DicomWebError({
      code: 'E_DICOMWEB_UNREACHABLE',
      where: address,
      what: problem,
      fix: 'Check the address and the network; then run it again: it resumes',
      cause: failure,
    }),
  );
}

/** Codes of an archive that is busy or failing for now. */
const TRANSIENT = [408, 425, 429, 500, 502, 503, 504];

/**
 * Throws unless the archive has answered with one of these codes.
 *
 * @param where - the resource, for messages.
 * @throws TryAgain when it is busy; DataError when the resource is missing or not acceptable; DicomWebError otherwise.
 */
export function requireStatus(where: string, { status, headers }: Answer, expected: readonly number[]): void {
  if (expected.includes(status)) return;
  if (TRANSIENT.includes(status)) {
    const afterMs = retryAfterMs(headers.get('retry-after'));
    const when = afterMs === undefined ? '' : `, and asks to wait ${Math.ceil(afterMs / 1000)} s`;
    throw new TryAgain(
      new DicomWebError({
        code: 'E_DICOMWEB_BUSY',
        where,
        what: `the archive is busy or failing: it answers ${status}${when}`,
        fix: 'Wait and run it again: it resumes',
      }),
      afterMs,
    );
  }
  if (status === 401 || status === 403 || status === 407)
    throw new DicomWebError({
      code: 'E_DICOMWEB_DENIED',
      where,
      what:
        status === 403 ? 'these credentials do not allow it (403)' : `the archive does not accept these credentials (${status})`,
      fix: 'Set SONOGROUND_DICOMWEB_TOKEN, or SONOGROUND_DICOMWEB_USER and SONOGROUND_DICOMWEB_PASSWORD',
    });
  if (status === 413)
    throw new DicomWebError({
      code: 'E_DICOMWEB_TOO_LARGE',
      where,
      what: 'the archive does not take so much at once (413)',
      fix: 'Raise the limit of the archive, or of the proxy before it',
    });
  if (status === 404 || status === 410)
    throw new DataError({
      code: 'E_DICOMWEB_NOT_FOUND',
      where,
      what: `the archive does not have it (${status})`,
      fix: 'Check the UIDs, and that the address is that of its DICOMweb service',
    });
  throw new DataError({
    code: 'E_DICOMWEB_ANSWER',
    where,
    what: `expected ${expected.join(' or ')}, got ${status}`,
    fix: 'Check that the address is that of a DICOMweb service',
  });
}

/** The error for something else than DICOM, or less than was announced. */
export function unexpected(where: string, what: string, cause?: unknown): DataError {
  const fix = 'Check that the address is that of a DICOMweb service; then run it again';
  return new DataError({ code: 'E_DICOMWEB_ANSWER', where, what, fix, cause });
}

/** The error for an answer of more than `most` bytes. */
export function tooLarge(where: string, most: number): DataError {
  return new DataError({
    code: 'E_FILE_TOO_LARGE',
    where,
    what: `it has more than ${(most / 1e9).toFixed(1)} GB`,
    fix: 'Divide the clip, or export it compressed',
  });
}
