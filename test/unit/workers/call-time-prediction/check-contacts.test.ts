import * as fc from 'fast-check';
import { contactErrorSchema, contactSchema } from '../../../../shared/contracts/call-time-prediction.ts';
import { checkContacts } from '../../../../workers/call-time-prediction/check-contacts.ts';
import { createTimezoneResolver } from '../../../../workers/call-time-prediction/resolve-timezone.ts';

const resolveTimezone = createTimezoneResolver(() => undefined);

describe('checkContacts', () => {
  it('makes ready what can be called and says what is wrong with the rest', () => {
    const { callable, errors } = checkContacts(
      [
        { id: 'a', phoneNumber: 'unknown' },
        { id: 'b', phoneNumber: '+972501234567', timezone: 'Asia/Jerusalem', metadata: { age: 35 } },
        { id: 'c', phoneNumber: '+972501234567', timezone: 'Jerusalem' },
        { id: 'd', phoneNumber: '+972501234567' },
      ],
      resolveTimezone,
    );
    expect(callable).toEqual([
      {
        position: 1,
        id: 'b',
        phoneNumber: '+972501234567',
        timezone: 'Asia/Jerusalem',
        metadata: { age: 35 },
      },
      { position: 3, id: 'd', phoneNumber: '+972501234567', timezone: 'UTC', metadata: {} },
    ]);
    expect(errors.map(({ contactId, code }) => [contactId, code])).toEqual([
      ['a', 'INVALID_PHONE_NUMBER'],
      ['c', 'INVALID_TIMEZONE'],
    ]);
    for (const error of errors) {
      expect(contactErrorSchema.safeParse(error).success).toBe(true);
      expect(error.message).not.toMatch(/unknown|\+972|\bJerusalem\b(?<!Asia\/Jerusalem)/);
    }
  });

  it('answers every contact once, in order', () => {
    const contact = fc.record({
      id: fc.constantFrom('a', 'b', 'c'),
      phoneNumber: fc.constantFrom('+972501234567', '+12125550123', 'x', '+1'),
      timezone: fc.constantFrom(undefined, 'Asia/Tokyo', 'nowhere'),
    });
    fc.assert(
      fc.property(fc.array(contact), (given) => {
        const contacts = given.map((one) => contactSchema.parse(one));
        const { callable, errors } = checkContacts(contacts, resolveTimezone);
        const positions = callable.map(({ position }) => position);
        expect(positions).toEqual(positions.toSorted((one, other) => one - other));
        expect(new Set(positions).size).toBe(positions.length);
        const refused = contacts.filter((_, position) => !positions.includes(position));
        expect(errors.map(({ contactId }) => contactId)).toEqual(refused.map(({ id }) => id));
        expect(callable.every(({ id, position }) => contacts[position]?.id === id)).toBe(true);
      }),
    );
  });
});
