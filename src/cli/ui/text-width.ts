import { stripVTControlCharacters } from 'node:util';

const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;
const EMPTY = /[\p{Mn}\p{Me}\p{Cf}]/u;

const widthOf = (letter: string): number => (EMPTY.test(letter) ? 0 : WIDE.test(letter) ? 2 : 1);

/** Columns that a text takes on a terminal; colours take none. */
export function textWidth(text: string): number {
  return [...stripVTControlCharacters(text)].reduce((sum, letter) => sum + widthOf(letter), 0);
}

/** The text, or as much of its beginning as fits, with `…` for the rest; empty where that says nothing. */
export function clip(text: string, room: number): string {
  if (textWidth(text) <= room) return text;
  if (room < 2) return '';
  let kept = '';
  for (const letter of text) {
    if (textWidth(kept) + widthOf(letter) > room - 1) break;
    kept += letter;
  }
  return `${kept}…`;
}
