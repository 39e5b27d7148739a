import type { FastifyInstance, FastifyRequest } from 'fastify';
import { findApiKey, type ApiKey, type Scope } from './api-key.ts';
import { isLoopback } from './is-loopback.ts';

/** Why a request is refused. */
export class AccessDenied extends Error {
  override readonly name = 'AccessDenied';
  readonly reason: 'unauthenticated' | 'forbidden';

  constructor(reason: 'unauthenticated' | 'forbidden', message: string) {
    super(message);
    this.reason = reason;
  }
}

export interface AccessControlOptions {
  keys: readonly ApiKey[];
  /** Without keys: whether callers other than this machine may come in. */
  trustedNetwork: boolean;
  /** Origins of web pages, besides the server's own, that may change state. */
  corsOrigins: readonly string[];
  /** How a key may be presented: as a bearer token or `X-Api-Key`, or as the password of HTTP Basic. */
  schemes: readonly ('bearer' | 'basic')[];
  /** What a route needs. */
  scopeOf: (request: FastifyRequest) => RouteScope;
}

/**
 * What a route needs: a key with the scope; nothing (`open`); or what the sender of a webhook proves itself by, which
 * the route checks (`sender`).
 */
export type RouteScope = Scope | 'open' | 'sender';

declare module 'fastify' {
  interface FastifyRequest {
    /** The name of the caller's key; `anonymous` where no key is asked for. */
    caller: string;
  }
  interface FastifyContextConfig {
    /** What the route needs. */
    scope?: RouteScope;
  }
}

const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Checks every request before anything else is done with it, but those of routes that need no key. With keys, every
 * other route needs one with the right scope. Without keys the `Host` header must name this machine, so that a page
 * which a browser loaded from elsewhere cannot reach in under a name of its own (DNS rebinding). Requests that change
 * state must not come from a foreign web page.
 *
 * @throws AccessDenied to the server's error handler
 */
export function addAccessControl(server: FastifyInstance, options: AccessControlOptions): void {
  const { keys, trustedNetwork, corsOrigins, schemes, scopeOf } = options;
  server.decorateRequest('caller', 'anonymous');
  server.addHook('onRequest', async (request) => {
    const scope = scopeOf(request);
    if (scope === 'open' || scope === 'sender') return;
    if (keys.length > 0) request.caller = authenticate(request, scope, keys, schemes);
    else if (!trustedNetwork) requireLoopbackName(request);
    if (!safeMethods.has(request.method)) requireOwnOrigin(request, corsOrigins);
  });
}

function authenticate(
  request: FastifyRequest,
  scope: Scope,
  keys: readonly ApiKey[],
  schemes: AccessControlOptions['schemes'],
): string {
  const presented = presentedKey(request, schemes);
  const key = presented === undefined ? undefined : findApiKey(presented, keys);
  if (!key) {
    throw new AccessDenied(
      'unauthenticated',
      presented === undefined ? 'This route needs an API key.' : 'This API key is not known.',
    );
  }
  if (!key.scopes.has(scope)) throw new AccessDenied('forbidden', `This API key lacks the scope ${scope}.`);
  return key.name;
}

function presentedKey(request: FastifyRequest, schemes: AccessControlOptions['schemes']): string | undefined {
  const authorization = request.headers.authorization ?? '';
  if (schemes.includes('bearer')) {
    const header = request.headers['x-api-key'];
    const bearer = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
    if (bearer !== undefined) return bearer;
    if (typeof header === 'string') return header;
  }
  if (schemes.includes('basic')) {
    const encoded = /^Basic +([A-Za-z0-9+/=]+)$/i.exec(authorization)?.[1];
    // Whatever the user's name: the key is the password.
    if (encoded !== undefined) return /:(.*)$/s.exec(Buffer.from(encoded, 'base64').toString('utf8'))?.[1];
  }
  return undefined;
}

function requireLoopbackName(request: FastifyRequest): void {
  const host = request.headers.host ?? '';
  if (isLoopback(host.replace(/:\d+$/, ''))) return;
  throw new AccessDenied(
    'forbidden',
    'Without API keys this server answers only under the names of its own machine (127.0.0.1, localhost).',
  );
}

function requireOwnOrigin(request: FastifyRequest, corsOrigins: readonly string[]): void {
  const { origin, host } = request.headers;
  // Programs send no Origin; browsers send one with every request that changes state.
  if (origin === undefined || corsOrigins.includes(origin)) return;
  if (URL.canParse(origin) && new URL(origin).host === host) return;
  throw new AccessDenied('forbidden', 'A web page of another origin may not do this.');
}
