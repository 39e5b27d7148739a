/** On this machine, or a container beside this one: a name of one word, which no public server has. */
export function isLocalEndpoint(url: string): boolean {
  const { hostname } = new URL(url);
  return /^[a-z0-9-]+$/i.test(hostname) || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}
