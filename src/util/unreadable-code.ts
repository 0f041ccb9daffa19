/**
 * Maps a file system error on reading to an error code.
 *
 * @param cause - as thrown by Node.
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
