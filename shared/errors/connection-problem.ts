import { errorCode } from './classify.ts';

export interface ConnectionProblem {
  finding: string;
  mend: string;
}

export interface Destination {
  /** For example `MySQL`. */
  service: string;
  /** `host:port`, never with a password. */
  address: string;
  /** The variables that say where it is, in words. */
  variables: string;
  /** The variable or the URL scheme that switches TLS on, in words. */
  tlsSetting: string;
  tls: boolean;
}

/** What it means, for a person, that a connection could not be made, by the error's code. */
export function connectionProblem(error: unknown, destination: Destination): ConnectionProblem {
  const { service, address, variables, tls, tlsSetting } = destination;
  const code = errorCode(error) ?? '';
  switch (code) {
    case 'ECONNREFUSED':
      return {
        finding: `nothing listens at ${address}`,
        mend: `Start ${service} there, or correct ${variables}.`,
      };
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return { finding: `the host of ${address} has no address (${code})`, mend: `Correct ${variables}.` };
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return {
        finding: `no answer from ${address} in time (${code})`,
        mend:
          `Is ${service} well, and does the network let this machine through to it? Else correct ${variables}` +
          (tls ? `, or ${tlsSetting} if it does not speak TLS.` : '.'),
      };
    case 'ECONNRESET':
    case 'EPIPE':
    case 'PROTOCOL_CONNECTION_LOST':
      return {
        finding: `${address} closes the connection at once`,
        mend: tls
          ? `Does ${service} speak TLS there? If not, correct ${tlsSetting}.`
          : `Does it expect TLS? Then set ${tlsSetting}. Is it ${service} at all? Else correct ${variables}.`,
      };
    case 'HANDSHAKE_NO_SSL_SUPPORT':
    case 'EPROTO':
      return { finding: `${address} does not speak TLS`, mend: `Correct ${tlsSetting}, or ${variables}.` };
    default:
      return otherProblem(code, destination);
  }
}

/** Node's codes for a certificate that it does not accept, beside those that begin with `ERR_TLS_`. */
const certificateCodes: ReadonlySet<string> = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

function otherProblem(
  code: string,
  { service, address, variables, tlsSetting }: Destination,
): ConnectionProblem {
  if (certificateCodes.has(code) || code.startsWith('ERR_TLS_')) {
    return {
      finding: `the certificate of ${address} is not accepted (${code})`,
      mend: `Let Node.js know its authority (NODE_EXTRA_CA_CERTS), and use the host name that it names in ${variables}.`,
    };
  }
  if (code.startsWith('ERR_SSL_')) {
    return { finding: `${address} does not speak TLS (${code})`, mend: `Correct ${tlsSetting}.` };
  }
  return {
    finding: `${address} takes the connection but does not answer as ${service} does${code === '' ? '' : ` (${code})`}`,
    mend: `Is it ${service}, and is it well? Else correct ${variables}, or ${tlsSetting}.`,
  };
}
