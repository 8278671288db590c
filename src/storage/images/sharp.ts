import type Sharp from 'sharp';
import { StorageError } from '../errors.ts';

/** The image library; an optional dependency that is loaded with the first rendering. */
export type ImageLibrary = typeof Sharp;

const blocked = [
  'VipsForeignLoadSvg',
  'VipsForeignLoadPdf',
  'VipsForeignLoadMagick',
  'VipsForeignLoadOpenslide',
];

/**
 * Loads the library; throws `ImagesUnavailable` where it is not installed. Formats that fetch or run what is written in
 * them (SVG, PDF) are never decoded.
 */
export async function loadImageLibrary(): Promise<ImageLibrary> {
  try {
    const { default: sharp } = await import('sharp');
    sharp.concurrency(1);
    sharp.cache(false);
    sharp.block({ operation: blocked });
    return sharp;
  } catch (thrown) {
    throw new StorageError('ImagesUnavailable', '', { cause: thrown });
  }
}
