import { UsageError } from '../util/index.js';

/**
 * Checks the address of a DICOMweb service, the part before `/studies`, and removes trailing slashes.
 *
 * @throws UsageError for anything but an http or https address without credentials, query and fragment.
 */
export function parseArchiveAddress(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const what =
    url === undefined || !['http:', 'https:'].includes(url.protocol)
      ? 'it is not an http or https address'
      : url.username !== '' || url.password !== ''
        ? 'it holds a name or password, which others can read in the list of processes'
        : url.search !== '' || url.hash !== ''
          ? 'it has a query or a fragment'
          : undefined;
  if (url !== undefined && what === undefined) return url.href.replace(/\/+$/, '');
  throw new UsageError({
    code: 'E_DICOMWEB_ADDRESS',
    // A password is not repeated.
    where: url === undefined ? text : `${url.origin}${url.pathname}`,
    what: what ?? 'it is not an http or https address',
    fix: 'Write it as https://archive.example.org/dicom-web; credentials belong into SONOGROUND_DICOMWEB_TOKEN, or SONOGROUND_DICOMWEB_USER and SONOGROUND_DICOMWEB_PASSWORD',
  });
}
