import fc from 'fast-check';
import { mentions } from '../../../../producers/cli/forget/mention.ts';
import { personWithLeadId } from '../../../../producers/cli/forget/person-with-lead-id.ts';

function forget(payload: unknown, result: unknown = null, leadId = 'L-1') {
  const texts = personWithLeadId(leadId).forgetInJob(
    { payload: JSON.stringify(payload), result: JSON.stringify(result) },
    false,
  );
  return { payload: JSON.parse(texts.payload) as unknown, result: JSON.parse(texts.result ?? '') as unknown };
}

test('a lead keeps its place; ids that hold its own stay as they are', () => {
  const leadIds = ['L-2', 'L-1', 'L-1 b', 'L-1@x.org', '', 'L-1', 'L-11'];
  expect(forget({ lead_ids: leadIds }).payload).toEqual({
    lead_ids: ['L-2', '[forgotten]', 'L-1 b', 'L-1@x.org', '', '[forgotten]', 'L-11'],
  });
});

test('its score stays, as nobody’s; why it has none goes', () => {
  const score = { probability: 0.1, confidence: 0.9, feature_coverage: 1, degraded: false };
  const error = { code: 'FEATURE_REJECTED', message: 'The column age must be a number' };
  const result = {
    predictions: ['L-1', 'L-1 b'].map((lead_id) => ({ lead_id, ...score })),
    errors: ['L-1', 'L-1 b'].map((lead_id) => ({ lead_id, ...error })),
  };
  expect(forget(null, result).result).toEqual({
    predictions: [
      { lead_id: '[forgotten]', ...score },
      { lead_id: 'L-1 b', ...score },
    ],
    errors: [
      { lead_id: '[forgotten]', code: 'FEATURE_REJECTED', message: '[forgotten]' },
      { lead_id: 'L-1 b', ...error },
    ],
  });
});

test('elsewhere the id goes where it stands as a whole word', () => {
  expect(forget({ message: 'L-1 called, not L-11', about: { 'L-1': ['L-1'] } }).payload).toEqual({
    message: '[forgotten] called, not L-11',
    about: { '[forgotten]': ['[forgotten]'] },
  });
});

test('an id that looks like a version leaves the names of models and versions alone', () => {
  const named = { model_id: '1', model_version: '1.0.0', schema_version: 'v1', model_sha256: '1' };
  expect(forget({ lead_ids: ['1'], note: '1' }, named, '1')).toEqual({
    payload: { lead_ids: ['[forgotten]'], note: '[forgotten]' },
    result: named,
  });
});

test('of whatever is said, no mention is left, and what mentions nobody is not changed', () => {
  const leadId = fc.string({
    minLength: 1,
    unit: fc.constantFrom('a', 'b', '.', '(', '\\', '$', ' ', 'é', '-'),
  });
  const texts = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      leadId,
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom('lead_id', 'lead_ids', 'message', 'x'), tie('value'), { maxKeys: 3 }),
    ),
  }));
  fc.assert(
    fc.property(leadId, texts.value, (id, value) => {
      const { mention } = personWithLeadId(id);
      const { payload } = forget(value, null, id);
      expect(mentions(payload, mention)).toBe(false);
      if (!mentions(value, mention)) expect(payload).toEqual(value);
    }),
  );
});
