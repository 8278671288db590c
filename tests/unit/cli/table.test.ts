import { expect, it } from 'vitest';
import { box, columns } from '../../../src/cli/ui/table.ts';

it('a box is as wide as its widest row or its title', () => {
  expect(box('A long title', [['a', 'b']])).toBe(
    ['╭──────────────╮', '│ A long title │', '├───┬──────────┤', '│ a │ b        │', '╰───┴──────────╯'].join(
      '\n',
    ),
  );
});

it('columns are aligned, and colours have no width', () => {
  expect(columns(['name', 'x'], [['\u001b[32mab\u001b[39m', '1']])).toBe(
    ['name  x', '----  -', '\u001b[32mab\u001b[39m    1'].join('\n'),
  );
});

it('a box that the terminal is too narrow for is left out, and its values stay whole', () => {
  const key = 'k'.repeat(40);
  expect(
    box(
      'Keys',
      [
        ['Secret', key],
        ['Id', 'x'],
      ],
      40,
    ),
  ).toBe(`Keys\n  Secret  ${key}\n  Id      x`);
});
