import { connectionProblem } from '../../../../shared/errors/connection-problem.ts';

const destination = {
  service: 'Redis',
  address: 'redis:6379',
  variables: 'REDIS_URL',
  tlsSetting: 'REDIS_TLS',
  tls: false,
};

test.each([
  ['ECONNREFUSED', /^nothing listens at redis:6379$/],
  ['ENOTFOUND', /^the host of redis:6379 has no address \(ENOTFOUND\)$/],
  ['EAI_AGAIN', /has no address/],
  ['ETIMEDOUT', /^no answer from redis:6379 in time \(ETIMEDOUT\)$/],
  ['ECONNRESET', /^redis:6379 closes the connection at once$/],
  ['PROTOCOL_CONNECTION_LOST', /closes the connection at once$/],
  ['HANDSHAKE_NO_SSL_SUPPORT', /^redis:6379 does not speak TLS$/],
  ['ERR_SSL_WRONG_VERSION_NUMBER', /^redis:6379 does not speak TLS \(ERR_SSL_WRONG_VERSION_NUMBER\)$/],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', /^the certificate of redis:6379 is not accepted/],
  ['ERR_TLS_CERT_ALTNAME_INVALID', /^the certificate of redis:6379 is not accepted/],
  ['EWHATEVER', /does not answer as Redis does \(EWHATEVER\)$/],
])('%s', (code, finding) => {
  const error = Object.assign(new Error('secret-word'), { code });
  const problem = connectionProblem(error, destination);
  expect(problem.finding).toMatch(finding);
  expect(problem.mend).not.toBe('');
  expect(JSON.stringify(problem)).not.toContain('secret-word');
});

test('without a code, and with TLS', () => {
  expect(connectionProblem(new Error('Command timed out'), destination).finding).toBe(
    'redis:6379 takes the connection but does not answer as Redis does',
  );
  const reset = connectionProblem({ code: 'ECONNRESET' }, { ...destination, tls: true });
  expect(reset.mend).toContain('speak TLS there');
});
