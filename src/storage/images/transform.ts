import { z } from 'zod';
import { integer, number, word } from '../wire/schema.ts';

/** What a rendering asks for; unset dimensions are undefined or 0. */
export type Transform = {
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  readonly resize?: 'cover' | 'contain' | 'fill' | undefined;
  readonly format?: 'origin' | 'avif' | 'webp' | undefined;
  readonly quality?: number | undefined;
  readonly gravity?: (typeof gravities)[number] | undefined;
  readonly x_offset?: number | undefined;
  readonly y_offset?: number | undefined;
};

const gravities = ['no', 'so', 'ea', 'we', 'noea', 'nowe', 'soea', 'sowe', 'ce', 'sm', 'fp'] as const;
const resizes = ['cover', 'contain', 'fill'] as const;
const formats = ['origin', 'avif', 'webp'] as const;

/** The members of a transformation, for the schemas of queries and bodies. */
const transformMembers = {
  height: integer(0).optional(),
  width: integer(0).optional(),
  resize: word(...resizes).optional(),
  format: word(...formats).optional(),
  quality: integer(20, 100).optional(),
  gravity: word(...gravities).optional(),
  x_offset: number().optional(),
  y_offset: number().optional(),
};

const focalPoint = z.object({ x_offset: number(0, 1), y_offset: number(0, 1) });

/** A transformation's members are what they should be; a focal point has its place, as a fraction of each side. */
export const transformSchema = z.object(transformMembers).superRefine((transform, context) => {
  if (transform.gravity !== 'fp') return;
  for (const issue of focalPoint.safeParse(transform).error?.issues ?? []) context.addIssue({ ...issue });
});

/** Smallest and largest dimension that a rendering may have, in pixels. */
export type DimensionLimits = { readonly min: number; readonly max: number };

const clamp = (value: number, { min, max }: DimensionLimits): number => Math.min(Math.max(value, min), max);

/** The transformation with its dimensions inside the limits. */
export const within = (transform: Transform, limits: DimensionLimits): Transform => ({
  ...transform,
  width: transform.width ? clamp(transform.width, limits) : undefined,
  height: transform.height ? clamp(transform.height, limits) : undefined,
});

const resizingTypes = { cover: 'fill', contain: 'fit', fill: 'force' } as const;

/** The list that `X-Transformations` shows. Upstream: applyTransformation in src/storage/renderer/image.ts. */
export const describeTransform = (transform: Transform): readonly string[] =>
  parts(transform, `resizing_type:${resizingTypes[transform.resize ?? 'cover']}`);

/** The text that a signed URL's token carries. */
export const signableTransform = (transform: Transform): string =>
  parts(transform, `resize:${transform.resize ?? 'cover'}`).join(',');

function parts({ width, height, quality, format, ...rest }: Transform, resize: string): readonly string[] {
  return [
    height ? `height:${height}` : '',
    width ? `width:${width}` : '',
    width || height ? resize : '',
    quality === undefined ? '' : `quality:${quality}`,
    format === undefined || format === 'origin' ? '' : `format:${format}`,
    gravityPart(rest),
  ].filter((part) => part !== '');
}

function gravityPart({ gravity, x_offset, y_offset }: Transform): string {
  if (gravity === undefined) return '';
  const hasOffset = gravity !== 'sm' && (x_offset !== undefined || y_offset !== undefined);
  return hasOffset ? `gravity:${gravity}:${x_offset ?? 0}:${y_offset ?? 0}` : `gravity:${gravity}`;
}

/** Reads the text of a token; what it does not know is left out. */
export function readSignedTransform(text: string, format: string): Transform {
  const fields = new Map(
    text.split(',').map((part) => {
      const [name = '', ...values] = part.split(':');
      return [name, values] as const;
    }),
  );
  const first = (name: string): string | undefined => fields.get(name)?.[0];
  const count = (name: string): number | undefined => Number(first(name)) || undefined;
  const [gravity, x, y] = fields.get('gravity') ?? [];
  return {
    width: count('width'),
    height: count('height'),
    quality: count('quality'),
    resize: resizes.find((resize) => resize === first('resize')),
    format: formats.find((known) => known === (format || first('format'))),
    gravity: gravities.find((known) => known === gravity),
    x_offset: x === undefined ? undefined : Number(x),
    y_offset: y === undefined ? undefined : Number(y),
  };
}
