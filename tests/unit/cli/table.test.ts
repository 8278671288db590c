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
