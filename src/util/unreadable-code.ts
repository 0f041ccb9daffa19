/**
 * Which code an error of the file system has when something was to be read.
 *
 * @param cause - as Node throws it.
 */
export function unreadableCode(cause: unknown): 'E_FILE_NOT_FOUND' | 'E_FILE_KIND' | 'E_FILE_UNREADABLE' {
  switch ((cause as NodeJS.ErrnoException | undefined)?.code) {
    case 'ENOENT':
      return 'E_FILE_NOT_FOUND';
    case 'EISDIR':
    case 'ENOTDIR':
      return 'E_FILE_KIND';
    default:
      return 'E_FILE_UNREADABLE';
  }
}
