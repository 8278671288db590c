import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Sharp } from 'sharp';
import { StorageError } from '../errors.ts';
import { type ImageLibrary, loadImageLibrary } from './sharp.ts';
import type { Transform } from './transform.ts';

/** A rendered image. */
type Rendered = { readonly bytes: Buffer; readonly contentType: string };

/** What is rendered. */
type RenderSource = {
  /** Identifies the bytes: renderings of one version never change. */
  readonly version: string;
  readonly size: number;
  readonly read: () => Promise<Buffer>;
};

/** Renders images, few at a time. */
export interface Renderer {
  /** Throws `UnusableImage`, `ImageTimeout`, `ImagesBusy` or `ImagesUnavailable`. */
  render(source: RenderSource, transform: Transform, accept: string): Promise<Rendered>;
}

const maxSourceBytes = 25 * 1024 * 1024;
const maxPixels = 50_000_000;
const maxFrames = 60;
const timeoutSeconds = 15;
const defaultQuality = 80;
const atOnce = 2;
const maxWaiting = 200;
const cacheBytes = 32 * 1024 * 1024;

/** Creates a renderer with a bounded cache of what it rendered. */
export function createRenderer(): Renderer {
  const cache = new LRUCache<string, Rendered>({
    maxSize: cacheBytes,
    sizeCalculation: (rendered) => rendered.bytes.length + 256,
  });
  const slots = createSlots();
  let library: Promise<ImageLibrary> | null = null;
  return {
    async render(source, transform, accept) {
      if (source.size > maxSourceBytes) throw unusable('The source image file is too large to process');
      const key = variantKey(source.version, transform, accept);
      const known = cache.get(key);
      if (known !== undefined) return known;
      library ??= loadImageLibrary();
      const sharp = await library;
      const rendered = await slots(async () => renderImage(sharp, await source.read(), transform, accept));
      cache.set(key, rendered);
      return rendered;
    },
  };
}

/** Names a variant of a version: two requests with the same name get the same bytes. */
export function variantKey(version: string, transform: Transform, accept: string): string {
  const text = JSON.stringify([transform, transform.format === undefined && acceptsWebp(accept)]);
  return `${version}-${createHash('sha256').update(text).digest('hex').slice(0, 16)}`;
}

const acceptsWebp = (accept: string): boolean => accept.includes('image/webp');

const unusable = (why: string, cause?: unknown): StorageError =>
  new StorageError('UnusableImage', why, cause === undefined ? {} : { cause });

/** Runs a few pieces of work at a time; the rest waits, up to a bound. */
function createSlots(): <T>(work: () => Promise<T>) => Promise<T> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running >= atOnce) {
      if (waiting.length >= maxWaiting) throw new StorageError('ImagesBusy');
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
    running++;
    try {
      return await work();
    } finally {
      running--;
      waiting.shift()?.();
    }
  };
}

async function renderImage(
  sharp: ImageLibrary,
  bytes: Buffer,
  transform: Transform,
  accept: string,
): Promise<Rendered> {
  const options = { limitInputPixels: maxPixels, failOn: 'truncated', sequentialRead: true } as const;
  try {
    const { format, pages = 1, width, height } = await sharp(bytes, options).metadata();
    if (width * height > maxPixels) throw unusable('The source image resolution is too large to process');
    const frames = pages > 1 && pages <= maxFrames ? pages : 1;
    const image = sharp(bytes, { ...options, pages: frames });
    const target = targetFormat(format, transform, accept, frames > 1);
    const resized = resize(image.autoOrient(), transform).timeout({ seconds: timeoutSeconds });
    const output = resized.toFormat(target, { quality: transform.quality ?? defaultQuality });
    return { bytes: await output.toBuffer(), contentType: `image/${target}` };
  } catch (thrown) {
    throw imageFailure(thrown);
  }
}

/** The library tells its failures apart by their text alone. */
function imageFailure(thrown: unknown): unknown {
  if (thrown instanceof StorageError) return thrown;
  const text = thrown instanceof Error ? thrown.message : '';
  if (/timeout/i.test(text)) return new StorageError('ImageTimeout', '', { cause: thrown });
  if (/pixel limit/i.test(text)) {
    return unusable('The source image resolution is too large to process', thrown);
  }
  return unusable('The source image is invalid or unsupported for rendering', thrown);
}

type Target = 'jpeg' | 'png' | 'webp' | 'gif' | 'avif';
const kept: Readonly<Record<string, Target>> = {
  jpeg: 'jpeg',
  png: 'png',
  webp: 'webp',
  gif: 'gif',
  heif: 'avif',
  tiff: 'jpeg',
};

function targetFormat(source: string, { format }: Transform, accept: string, isAnimated: boolean): Target {
  // AVIF holds no animation here: an animated source keeps moving as WebP.
  if (format === 'avif') return isAnimated ? 'webp' : 'avif';
  if (format === 'webp' || (format === undefined && acceptsWebp(accept))) return 'webp';
  const target = kept[source];
  if (target === undefined) throw unusable('The source image is invalid or unsupported for rendering');
  return target;
}

const positions: Readonly<Record<string, string>> = {
  no: 'top',
  so: 'bottom',
  ea: 'right',
  we: 'left',
  noea: 'right top',
  nowe: 'left top',
  soea: 'right bottom',
  sowe: 'left bottom',
  ce: 'centre',
  sm: 'attention',
};

/** Fits the image to the box; images are made smaller, never larger. */
function resize(image: Sharp, { width, height, resize: mode = 'cover', ...rest }: Transform): Sharp {
  if (!width && !height) return image;
  const fit = mode === 'contain' ? 'inside' : mode;
  return image.resize({
    ...(width ? { width } : {}),
    ...(height ? { height } : {}),
    fit,
    position: positionOf(rest),
    withoutEnlargement: mode !== 'fill',
  });
}

/** The nearest of the nine places for a focal point. */
function positionOf({ gravity = 'ce', x_offset = 0.5, y_offset = 0.5 }: Transform): string {
  if (gravity !== 'fp') return positions[gravity] ?? 'centre';
  const horizontal = x_offset < 1 / 3 ? 'left' : x_offset > 2 / 3 ? 'right' : '';
  const vertical = y_offset < 1 / 3 ? 'top' : y_offset > 2 / 3 ? 'bottom' : '';
  return `${horizontal} ${vertical}`.trim() || 'centre';
}
