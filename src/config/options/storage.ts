import { boolean, bytes, optional, string } from '../kind.ts';
import { option } from '../option.ts';

/** The storage service and where its files live. */
export const storageOptions = {
  enabled: option({
    kind: boolean,
    default: true,
    toml: 'storage.enabled',
    description: 'Serve /storage/v1.',
  }),
  fileSizeLimit: option({
    kind: bytes,
    default: 50 * 1024 ** 2,
    toml: 'storage.file_size_limit',
    env: ['FILE_SIZE_LIMIT', 'UPLOAD_FILE_SIZE_LIMIT'],
    description: 'Largest object, unless its bucket says less.',
  }),
  path: option({
    kind: optional(string),
    default: null,
    env: ['FILE_STORAGE_BACKEND_PATH', 'STORAGE_FILE_BACKEND_PATH'],
    flag: 'storage-path',
    description: 'Folder of the filesystem backend; unset keeps files under .ownbase/storage.',
  }),
};
