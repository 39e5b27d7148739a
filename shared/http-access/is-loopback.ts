const loopbackNames: ReadonlySet<string> = new Set(['127.0.0.1', '::1', '[::1]', 'localhost']);

/** Whether a host name or address, without port, is this machine's own. */
export function isLoopback(host: string): boolean {
  return loopbackNames.has(host.toLowerCase());
}
