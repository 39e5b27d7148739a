import fc from 'fast-check';
import { personWithPhone } from '../../../../producers/cli/forget/person-with-phone.ts';
import { callTimePrediction } from '../../../../shared/contracts/call-time-prediction.ts';

const phoneNumber = '+972501234567';
const person = { id: 'c-1', phoneNumber, timezone: 'Asia/Jerusalem', metadata: { name: 'Zelda', age: 35 } };
const { forgetInJob, mention } = personWithPhone(phoneNumber);
const other = { id: 'c-2', phoneNumber: '+4915112345678', metadata: { name: 'Ada' } };

function forget(payload: unknown, result: unknown = null) {
  const json = {
    payload: JSON.stringify(payload),
    result: result === null ? null : JSON.stringify(result),
  };
  const texts = forgetInJob(json, false);
  const parsed: unknown = texts.result === null ? null : JSON.parse(texts.result);
  return { payload: JSON.parse(texts.payload) as unknown, result: parsed };
}

test('a contact keeps its place and nothing else; the others stay as they are', () => {
  const { payload, result } = forget(
    { contacts: [other, person, other] },
    {
      predictions: [
        { contactId: 'c-2', cached: false },
        { contactId: 'c-1', cached: true },
      ],
      errors: [],
    },
  );
  expect(payload).toEqual({
    contacts: [other, { id: '[forgotten]', phoneNumber: '[forgotten]' }, other],
  });
  expect(callTimePrediction.payload.safeParse(payload).success).toBe(true);
  expect(result).toEqual({
    predictions: [
      { contactId: 'c-2', cached: false },
      { contactId: '[forgotten]', cached: true },
    ],
    errors: [],
  });
});

test('the number goes from wherever it is mentioned, longer numbers do not', () => {
  const longer = { ...other, phoneNumber: `${phoneNumber}8` };
  expect(
    forget({
      contacts: [longer, { ...other, metadata: { callback: `call ${phoneNumber}, or ${phoneNumber}8` } }],
      [`about ${phoneNumber}`]: [1, null, true, phoneNumber],
    }),
  ).toEqual({
    payload: {
      contacts: [longer, { ...other, metadata: { callback: `call [forgotten], or ${phoneNumber}8` } }],
      'about [forgotten]': [1, null, true, '[forgotten]'],
    },
    result: null,
  });
});

test.each([null, 'text', 5, [], {}, phoneNumber])('a payload of any form: %j', (payload) => {
  expect(forget(payload).payload).toEqual(payload === phoneNumber ? '[forgotten]' : payload);
});

test('nothing is left of it, and doing it again changes nothing', () => {
  const withNumber = fc.oneof(fc.constant(phoneNumber), fc.string(), fc.constant(`<${phoneNumber}>`));
  const value = fc.letrec((tie) => ({
    value: fc.oneof(
      withNumber,
      fc.integer(),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(withNumber, tie('value'), { maxKeys: 4 }),
      fc.record({ id: withNumber, phoneNumber: withNumber }),
    ),
  })).value;
  fc.assert(
    fc.property(value, value, (payload, result) => {
      const texts = { payload: JSON.stringify(payload), result: JSON.stringify(result) };
      const once = forgetInJob(texts, false);
      expect(`${once.payload} ${once.result}`.search(mention)).toBe(-1);
      expect(forgetInJob(once, false)).toEqual(once);
    }),
  );
});
