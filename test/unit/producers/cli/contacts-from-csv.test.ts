import { contactsFromCsv } from '../../../../producers/cli/contacts-from-csv.ts';

test('columns that are not known become metadata, empty cells are absent', () => {
  const csv =
    '\uFEFFid,phoneNumber,timezone,name,age\n a1 ,+972501234567,Asia/Jerusalem,"Doe, John",35\na2,+12125550123,,,\n';
  expect(contactsFromCsv(csv, 'f.csv')).toEqual({
    contacts: [
      {
        id: 'a1',
        phoneNumber: '+972501234567',
        timezone: 'Asia/Jerusalem',
        metadata: { name: 'Doe, John', age: '35' },
      },
      { id: 'a2', phoneNumber: '+12125550123' },
    ],
  });
});

test.each([
  ['', 'no line after its header'],
  ['id,phone\n1,2\n', 'no column phoneNumber'],
  ['id,phoneNumber\n1,2,3\n', 'in line 2'],
  ['id,phoneNumber\n"1,2\n', 'CSV_QUOTE_NOT_CLOSED'],
])('%j is refused with what is wrong', (csv, reason) => {
  expect(() => contactsFromCsv(csv, 'f.csv')).toThrow(reason);
});
