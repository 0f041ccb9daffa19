/** Whether the host name of a `URL` is this machine, in any of its spellings. */
export function isLoopbackHost(hostname: string): boolean {
  return hostname === '[::1]' || /^(.+\.)?localhost$/.test(hostname) || /^127(\.\d{1,3}){3}$/.test(hostname);
}
