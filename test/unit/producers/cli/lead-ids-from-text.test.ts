import { leadIdsFromText } from '../../../../producers/cli/lead-ids-from-text.ts';
import { CommandFailed } from '../../../../producers/cli/usage-error.ts';

const idsOf = (content: string, isCsv = false) => leadIdsFromText(content, { name: 'leads', isCsv }).lead_ids;

test.each([
  ['one a line', 'a\nb\nc'],
  ['one a line, with spaces, empty lines and the line ends of Windows', '\u{feff}\r\n a\r\n\r\nb \r\nc\r\n'],
  ['a CSV', 'lead_id,age\na,1\nb,2\nc,3\n'],
  ['a CSV whose column is not the first one', '\u{feff}age,"lead_id",y\r\n1,a,x\r\n2,"b",y\r\n\r\n3,c,z'],
  ['a CSV with nothing else', 'lead_id\na\nb\nc\n'],
])('%s', (_form, content) => {
  expect(idsOf(content)).toEqual(['a', 'b', 'c']);
  expect(idsOf(content, true)).toEqual(['a', 'b', 'c']);
});

test('commas belong to ids that stand one a line', () => {
  expect(idsOf('a,1\nb,2')).toEqual(['a,1', 'b,2']);
});

test('an empty id of a CSV is kept: it is a lead that cannot be scored', () => {
  expect(idsOf('lead_id,age\na,1\n,2\n')).toEqual(['a', '']);
});

test('what holds no id is left to the contract', () => {
  expect([idsOf(''), idsOf('\n'), idsOf('lead_id,age\n')]).toEqual([[], [], []]);
});

test('a CSV without the column, or that cannot be read, is a failure', () => {
  expect(() => idsOf('id,age\na,1', true)).toThrow(new CommandFailed('leads has no column lead_id.'));
  expect(() => idsOf('lead_id,age\na,1\nb\n')).toThrow(/not a readable CSV: .* in line 3/);
});
